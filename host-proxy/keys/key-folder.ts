/**
 * The key sets that this instance keeps: one folder for each, named by generation and hash. A set is there whole or not at all, whenever
 * the daemon or the machine ends, and none is ever overwritten or deleted here: an older one may be the last that opens.
 *
 *   .partial-… ─ set, transcript, both flushed ─▶ rename ─▶ 000007-0123456789abcdef ─ folder flushed ─▶ told to be stored
 */
import { randomBytes } from 'node:crypto';
import { mkdir, readdir, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describeError, errorCode } from '../../runtime/errors.ts';
import { HostProxyError } from '../errors.ts';
import { preparePrivateFolder } from '../private-folder.ts';
import { syncFolder, writeDurable } from './durable.ts';
import {
  factsOf,
  folderNameOf,
  isFolderName,
  KEY_SET_FILE,
  type KeySetFacts,
  type KeySetFiles,
  readKeySetFiles,
  TRANSCRIPT_FILE,
} from './stored-set.ts';

const FOLDER_MODE = 0o700;
const PARTIAL = '.partial-';
const DAMAGED = '.damaged-';
const RANDOM_BYTES = 8;
/** What lies under other names is nobody’s set. */
const UNUSED: Readonly<Record<string, string>> = {
  [PARTIAL]: 'it was not finished; the set that was to be written there was never brought, and it may be deleted',
  [DAMAGED]: 'it was damaged, and put aside when the same set came again whole',
};

const unusedReason = (name: string) => Object.entries(UNUSED).find(([prefix]) => name.startsWith(prefix))?.[1];
const besideName = (prefix: string) => `${prefix}${randomBytes(RANDOM_BYTES).toString('hex')}`;

export interface StoredKeySet extends KeySetFacts {
  /** Of its folder. */
  readonly name: string;
}

/** One that was not finished, or is not what its name says. */
export interface DamagedKeySet {
  readonly name: string;
  readonly reason: string;
}

export interface KeyFolderContents {
  /** From the oldest generation to the newest; of one generation in the order in which they were made. */
  readonly sets: readonly StoredKeySet[];
  readonly damaged: readonly DamagedKeySet[];
}

/** When any of its files changes, so does this. */
interface Seen {
  readonly stamp: string;
  readonly found: StoredKeySet | DamagedKeySet;
}

const isWhole = (found: StoredKeySet | DamagedKeySet): found is StoredKeySet => 'sha256' in found;
const isDamaged = (found: StoredKeySet | DamagedKeySet): found is DamagedKeySet => !isWhole(found);

export class KeyFolder {
  readonly path: string;
  #seen = new Map<string, Seen>();

  constructor(path: string) {
    this.path = path;
  }

  /** @throws HostProxyError HOST_KEYS_FOLDER */
  prepare(): void {
    preparePrivateFolder(this.path, 'HOST_KEYS_FOLDER');
  }

  /** All that is there; what is damaged is told and never brought. @throws HostProxyError HOST_KEYS_FOLDER */
  async list(): Promise<KeyFolderContents> {
    const seen = new Map<string, Seen>();
    for (const name of await this.#names()) seen.set(name, await this.#look(name));
    this.#seen = seen;
    const found = [...seen.values()].map((each) => each.found);
    return {
      sets: found
        .filter(isWhole)
        .toSorted((a, b) => a.generation - b.generation || a.madeAtMs - b.madeAtMs || (a.sha256 < b.sha256 ? -1 : 1)),
      damaged: found.filter(isDamaged),
    };
  }

  /** @throws HostProxyError HOST_KEYS_FOLDER */
  async read({ name }: StoredKeySet): Promise<KeySetFiles> {
    try {
      return await readKeySetFiles(join(this.path, name));
    } catch (cause) {
      throw new HostProxyError('HOST_KEYS_FOLDER', `the key set ${name} cannot be read`, { cause });
    }
  }

  /**
   * On disk when it resolves. The same set again is no error; a damaged one of its name is put aside.
   * @throws HostProxyError HOST_KEYS_WRITE; KeyError, FormatError, AttestationError: it is none
   */
  async store(files: KeySetFiles): Promise<StoredKeySet> {
    const facts = factsOf(files);
    const name = folderNameOf(facts);
    const known = (await this.#names()).includes(name) ? (await this.#look(name)).found : undefined;
    try {
      if (known !== undefined && isWhole(known)) {
        await syncFolder(this.path);
        return known;
      }
      if (known !== undefined) await rename(join(this.path, name), join(this.path, besideName(DAMAGED)));
      await this.#write(name, files);
    } catch (cause) {
      throw new HostProxyError('HOST_KEYS_WRITE', `the key set ${name} cannot be written`, { cause });
    }
    return { ...facts, name };
  }

  async #write(name: string, { keySet, transcript }: KeySetFiles): Promise<void> {
    const partial = join(this.path, besideName(PARTIAL));
    await mkdir(partial, { mode: FOLDER_MODE });
    await writeDurable(join(partial, KEY_SET_FILE), keySet);
    await writeDurable(join(partial, TRANSCRIPT_FILE), transcript);
    await syncFolder(partial);
    await rename(partial, join(this.path, name));
    await syncFolder(this.path);
  }

  async #names(): Promise<readonly string[]> {
    try {
      const names = await readdir(this.path);
      return names.filter((name) => isFolderName(name) || unusedReason(name) !== undefined);
    } catch (cause) {
      throw new HostProxyError('HOST_KEYS_FOLDER', `cannot read ${this.path}`, { cause });
    }
  }

  async #look(name: string): Promise<Seen> {
    const stamp = await this.#stamp(name);
    const before = this.#seen.get(name);
    return before?.stamp === stamp ? before : { stamp, found: await this.#examine(name) };
  }

  async #examine(name: string): Promise<StoredKeySet | DamagedKeySet> {
    const unused = unusedReason(name);
    if (unused !== undefined) return { name, reason: unused };
    try {
      const facts = factsOf(await readKeySetFiles(join(this.path, name)));
      const ownName = folderNameOf(facts);
      return ownName === name ? { ...facts, name } : { name, reason: `it holds what belongs into ${ownName}` };
    } catch (error) {
      return { name, reason: describeError(error).replaceAll(/\s+/g, ' ') };
    }
  }

  async #stamp(name: string): Promise<string> {
    const stamps = [KEY_SET_FILE, TRANSCRIPT_FILE].map(async (file) => {
      try {
        const { ino, size, mtimeMs, ctimeMs } = await stat(join(this.path, name, file));
        return `${ino} ${size} ${mtimeMs} ${ctimeMs}`;
      } catch (error) {
        return errorCode(error) ?? 'unreadable';
      }
    });
    return (await Promise.all(stamps)).join(', ');
  }
}
