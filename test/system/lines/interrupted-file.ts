/** A file that takes nothing while the test says so: a FIFO, which has a reader or has none (EPIPE). */
import { execFileSync } from 'node:child_process';
import { closeSync, constants, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { errorCode } from '../../../runtime/errors.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const MAX_BYTES = 65_536;

export class InterruptedFile {
  readonly path: string;
  #fd: number | undefined;

  /** Takes what is written, to begin with. */
  constructor(t: Parameters<typeof temporaryFolder>[0]) {
    this.path = join(temporaryFolder(t), 'fifo');
    execFileSync('mkfifo', [this.path]);
    this.resume();
    t.teardown(() => this.interrupt());
  }

  interrupt(): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }

  resume(): void {
    this.#fd = openSync(this.path, constants.O_RDONLY | constants.O_NONBLOCK);
  }

  /** What was written since it was last asked. */
  taken(): string {
    if (this.#fd === undefined) return '';
    const bytes = Buffer.alloc(MAX_BYTES);
    try {
      return bytes.toString('utf8', 0, readSync(this.#fd, bytes));
    } catch (error) {
      if (errorCode(error) === 'EAGAIN') return '';
      throw error;
    }
  }
}
