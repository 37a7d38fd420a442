/**
 * The files of a container image, put together in memory from its layers. Nothing is written while a layer is read, so
 * that no link can lead a later entry out of the folder; what is written in the end are plain files only.
 */
import { posix } from 'node:path';
import { AcraError } from '../errors.ts';
import type { TarEntry } from './tar.ts';

export interface ImageFile {
  /** Relative, normalised, without links. */
  readonly path: string;
  readonly content: Buffer;
  readonly executable: boolean;
}

type Node =
  | { readonly kind: 'folder' }
  | { readonly kind: 'link'; readonly target: string }
  | { readonly kind: 'file'; readonly content: Buffer; readonly executable: boolean };

const MAX_ENTRIES = 10_000;
const MAX_LINKS_FOLLOWED = 40;
const MAX_PATH_BYTES = 4096;

function invalid(message: string): AcraError {
  return new AcraError('ACRA_IMAGE_INVALID', `the image is invalid: ${message}`);
}

/** `./a//b/` becomes `a/b`. @throws AcraError for a path that climbs or has no sane form */
function checkPath(path: string): string {
  const parts = path.split('/').filter((part) => part !== '' && part !== '.');
  if (parts.includes('..') || path.includes('\0') || path.includes('\\') || Buffer.byteLength(path) > MAX_PATH_BYTES) {
    throw invalid(`the path ${JSON.stringify(path.slice(0, 100))} leads out of it or is malformed`);
  }
  if (parts.some((part) => part.startsWith('.wh.'))) throw invalid('it removes files of a layer below');
  return parts.join('/');
}

export class ImageTree {
  readonly #nodes = new Map<string, Node>();
  #entries = 0;

  /** @throws AcraError ACRA_IMAGE_INVALID */
  add(entry: TarEntry): void {
    this.#entries += 1;
    if (this.#entries > MAX_ENTRIES) throw invalid(`it has over ${MAX_ENTRIES} entries`);
    const path = checkPath(entry.path);
    if (path === '') return;
    this.#addParents(path);
    const node = this.#nodeOf(entry);
    const old = this.#nodes.get(path);
    if (old !== undefined && (old.kind === 'folder') !== (node.kind === 'folder')) {
      throw invalid(`${path} is a folder and a file`);
    }
    this.#nodes.set(path, node);
  }

  #addParents(path: string): void {
    for (let parent = posix.dirname(path); parent !== '.'; parent = posix.dirname(parent)) {
      const node = this.#nodes.get(parent);
      if (node !== undefined && node.kind !== 'folder') throw invalid(`${path} lies below a link or a file`);
      this.#nodes.set(parent, { kind: 'folder' });
    }
  }

  #nodeOf(entry: TarEntry): Node {
    switch (entry.type) {
      case 'folder':
        return { kind: 'folder' };
      case 'symlink':
        return { kind: 'link', target: entry.target };
      case 'hardlink': {
        const target = this.#nodes.get(checkPath(entry.target));
        if (target?.kind !== 'file') throw invalid('a hard link leads to no file before it');
        return target;
      }
      default:
        return { kind: 'file', content: entry.content, executable: (entry.mode & 0o111) !== 0 };
    }
  }

  /** Follows links as a process rooted in the image would. Undefined when nothing is there. */
  resolve(path: string): ImageFile | undefined {
    let rest = path.split('/');
    let at = '';
    for (let followed = 0; rest.length > 0; ) {
      const [part = '', ...others] = rest;
      rest = others;
      if (part === '' || part === '.') continue;
      if (part === '..') {
        at = at.includes('/') ? posix.dirname(at) : '';
        continue;
      }
      const next = at === '' ? part : `${at}/${part}`;
      const node = this.#nodes.get(next);
      if (node === undefined) return undefined;
      if (node.kind !== 'link') {
        at = next;
        continue;
      }
      followed += 1;
      if (followed > MAX_LINKS_FOLLOWED) throw invalid(`${path} is a chain of links without end`);
      rest = [...node.target.split('/'), ...rest];
      if (node.target.startsWith('/')) at = '';
    }
    const node = this.#nodes.get(at);
    return node?.kind === 'file' ? { path: at, content: node.content, executable: node.executable } : undefined;
  }

  /** Every file, and every link to a file as a file of its own; links to folders are left out. Sorted by path. */
  files(): ImageFile[] {
    const paths = [...this.#nodes].filter(([, node]) => node.kind !== 'folder').map(([path]) => path);
    return paths.toSorted().flatMap((path) => {
      const file = this.resolve(path);
      return file === undefined ? [] : { ...file, path };
    });
  }
}
