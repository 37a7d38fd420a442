/**
 * Data folders that were made once and are copied from then on: initdb and the first statements take most of the time that a database
 * of a test needs. A template is named after all that it was made from, and gets its name when it is complete, so that any number of
 * programs may use the same folder.
 */
import { createHash, randomUUID } from 'node:crypto';
import { mkdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { errorCode } from '../../runtime/errors.ts';
import { readIfPresent } from '../state-file.ts';
import type { Surroundings } from './process.ts';
import { runUnprivileged } from './process.ts';

/** Of a program, so that another release of it is not taken for the same. */
export async function fileIdentity(path: string): Promise<string> {
  const { size, mtimeMs } = await stat(path);
  return `${size} ${mtimeMs}`;
}

export class ClusterTemplate {
  readonly #folder: string;
  readonly #path: string;
  readonly #surroundings: Surroundings;
  readonly #signal: AbortSignal;

  /** @param madeBy everything that the data follow from; of another user's nothing can be read */
  constructor(folder: string, madeBy: readonly string[], surroundings: Surroundings, signal: AbortSignal) {
    const hash = createHash('sha256').update(JSON.stringify([...madeBy, process.getuid?.()]));
    this.#folder = folder;
    this.#path = join(folder, hash.digest('hex').slice(0, 32));
    this.#surroundings = surroundings;
    this.#signal = signal;
  }

  /** @returns false when there is none yet */
  async copyTo(data: string): Promise<boolean> {
    if ((await readIfPresent(join(this.#path, 'PG_VERSION'))) === undefined) return false;
    await this.#copy(this.#path, data);
    return true;
  }

  /** Where two make the same one, the first is kept. */
  async keep(data: string): Promise<void> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    const unfinished = `${this.#path}.${randomUUID()}`;
    try {
      await this.#copy(data, unfinished);
      await rename(unfinished, this.#path).catch((error) => {
        if (errorCode(error) !== 'ENOTEMPTY' && errorCode(error) !== 'EEXIST') throw error;
      });
    } finally {
      await rm(unfinished, { recursive: true, force: true });
    }
  }

  /** By the user that the server runs as, whose the data must be. */
  #copy(from: string, to: string): Promise<void> {
    const command = { program: 'cp', args: ['-R', '-p', from, to] };
    return runUnprivileged({ command, input: '', signal: this.#signal, ...this.#surroundings });
  }
}
