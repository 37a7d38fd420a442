/**
 * All results of a ceremony come into their places, or none: each is made beside its place under another name, and all are
 * moved at the end in one go that no signal can interrupt. What fails, or is ended, leaves nothing behind.
 */
import { randomBytes } from 'node:crypto';
import {
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { errorCode } from '../runtime/errors.ts';
import { KeyError } from './errors.ts';

interface Output {
  readonly temporary: string;
  readonly final: string;
  /** `folder-content`: every file of the temporary folder goes into the final one. */
  readonly kind: 'new' | 'replacing' | 'folder-content';
}

interface Move {
  readonly from: string;
  readonly to: string;
  readonly replaces: boolean;
}

/** Whatever it is. @throws KeyError KEY_OUTPUT_WRITE */
export function isThere(path: string): boolean {
  try {
    lstatSync(path);
    return true;
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return false;
    throw new KeyError('KEY_OUTPUT_WRITE', `${path} cannot be looked at`, { cause: error });
  }
}

/** @throws KeyError KEY_OUTPUT_EXISTS, KEY_OUTPUT_WRITE */
export function refuseExisting(paths: readonly string[]): void {
  const found = paths.filter(isThere);
  if (found.length > 0) throw new KeyError('KEY_OUTPUT_EXISTS', `${found.join(', ')}: there already`);
}

function removeIfEmpty(folder: string): void {
  try {
    rmdirSync(folder);
  } catch {
    // What lies in it is wanted.
  }
}

export class StagedOutputs {
  readonly #outputs: Output[] = [];
  /** Made here, the innermost first. */
  readonly #folders: string[] = [];
  readonly #suffix = randomBytes(6).toString('hex');
  readonly #discard = () => this.discard();

  constructor() {
    process.on('exit', this.#discard);
  }

  /** @returns where to make it: beside its place, in the same file system */
  stage(place: string, kind: Output['kind'] = 'new'): string {
    // Without a slash at its end, behind which the name beside it would lie within.
    const final = resolve(place);
    if (kind === 'new') refuseExisting([final]);
    const temporary = `${final}.new-${this.#suffix}`;
    this.#outputs.push({ temporary, final, kind });
    return temporary;
  }

  /** @throws KeyError KEY_OUTPUT_EXISTS, KEY_OUTPUT_WRITE */
  write(final: string, content: string | Buffer, kind: 'new' | 'replacing' = 'new'): void {
    const temporary = this.stage(final, kind);
    try {
      writeFileSync(temporary, content, { flag: 'wx', flush: true });
    } catch (cause) {
      throw new KeyError('KEY_OUTPUT_WRITE', `${final} cannot be written`, { cause });
    }
  }

  /** Makes the folder of a place, which goes again unless something comes into it. @throws KeyError KEY_OUTPUT_WRITE */
  makeFolderOf(place: string): void {
    const folder = dirname(resolve(place));
    try {
      const outermost = mkdirSync(folder, { recursive: true });
      if (outermost === undefined) return;
      for (let path = folder; path.length >= outermost.length; path = dirname(path)) this.#folders.push(path);
    } catch (cause) {
      throw new KeyError('KEY_OUTPUT_WRITE', `the folder ${folder} cannot be made`, { cause });
    }
  }

  #moves(): Move[] {
    return this.#outputs.flatMap(({ temporary, final, kind }) =>
      kind === 'folder-content'
        ? readdirSync(temporary).map((name) => ({
            from: join(temporary, name),
            to: join(final, name),
            replaces: false,
          }))
        : { from: temporary, to: final, replaces: kind === 'replacing' },
    );
  }

  /**
   * Moves everything, in the order in which it was staged; when a move fails, those before it are taken back.
   * @throws KeyError KEY_OUTPUT_EXISTS, KEY_OUTPUT_WRITE
   */
  commit(): void {
    const moves = this.#moves();
    refuseExisting(moves.filter(({ replaces }) => !replaces).map(({ to }) => to));
    const undo: (() => void)[] = [];
    try {
      for (const move of moves) undo.push(this.#move(move));
    } catch (cause) {
      for (const back of undo.reverse()) back();
      throw new KeyError('KEY_OUTPUT_WRITE', 'the results cannot be put in their places', { cause });
    }
    this.discard();
  }

  /** @returns what takes it back */
  #move({ from, to, replaces }: Move): () => void {
    const old = `${to}.old-${this.#suffix}`;
    const hasOld = replaces && existsSync(to);
    if (hasOld) linkSync(to, old);
    renameSync(from, to);
    return () => (hasOld ? renameSync(old, to) : rmSync(to, { recursive: true, force: true }));
  }

  /** Removes what has not been moved. */
  discard(): void {
    process.off('exit', this.#discard);
    for (const { temporary, final } of this.#outputs) {
      rmSync(temporary, { recursive: true, force: true });
      rmSync(`${final}.old-${this.#suffix}`, { force: true });
    }
    for (const folder of this.#folders.splice(0)) removeIfEmpty(folder);
  }

  [Symbol.dispose](): void {
    this.discard();
  }
}
