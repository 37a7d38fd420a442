/** The file system of an image as its programs will see it: what lies under a path, the start of a file, an ELF file's needs. */
import { readRange } from '../../input-file.ts';
import { type ElfFile, readElfIn } from '../../rootfs/elf.ts';
import type { SystemTexts } from '../../rootfs/loader-folders.ts';
import { type Found, lookUp } from '../layers/look-up.ts';
import type { FileNode, FolderNode, Inode } from '../layers/nodes.ts';
import type { Spool } from '../layers/spool.ts';

/** Enough for passwd, ld.so.conf, and the list of packages of a whole Debian. */
const MAX_TEXT_BYTES = 16_777_216;
const ELF_MAGIC = Buffer.from('7f454c46', 'hex');

export interface FoundFile extends Found {
  readonly node: FileNode;
}

export class ImageFiles implements SystemTexts {
  readonly root: FolderNode;
  readonly #spool: Spool;
  readonly #elfFiles = new Map<Inode, ElfFile | undefined>();

  constructor({ root, spool }: { readonly root: FolderNode; readonly spool: Spool }) {
    this.root = root;
    this.#spool = spool;
  }

  find(path: string): Found | undefined {
    return lookUp(this.root, path);
  }

  findFile(path: string): FoundFile | undefined {
    const found = this.find(path);
    return found?.node.kind === 'file' ? { ...found, node: found.node } : undefined;
  }

  /** Fewer bytes where the file is shorter. @throws EifError EIF_FILE_READ */
  async start({ path, node }: FoundFile, bytes: number): Promise<Buffer> {
    const { content } = node.inode;
    return this.#spool.withFile(content, path, (file) => readRange(file, 0, Math.min(bytes, content.size)));
  }

  /** @returns undefined for what is no ELF file. @throws EifBuildError EIF_BUILD_ELF for one that is damaged */
  async elf(file: FoundFile): Promise<ElfFile | undefined> {
    const { inode } = file.node;
    if (this.#elfFiles.has(inode)) return this.#elfFiles.get(inode);
    const isElf = (await this.start(file, ELF_MAGIC.length)).equals(ELF_MAGIC);
    const elf = isElf ? await this.#spool.withFile(inode.content, `/${file.path}`, readElfIn) : undefined;
    this.#elfFiles.set(inode, elf);
    return elf;
  }

  /** Empty where there is none, or it is too long to be one. */
  async read(path: string): Promise<string> {
    const file = this.findFile(path);
    if (file === undefined || file.node.inode.content.size > MAX_TEXT_BYTES) return '';
    return (await this.start(file, MAX_TEXT_BYTES)).toString('utf8');
  }

  async list(folder: string): Promise<readonly string[]> {
    const node = this.find(folder)?.node;
    return node?.kind === 'folder' ? [...node.children.keys()].toSorted() : [];
  }
}
