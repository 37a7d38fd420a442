/**
 * The process that owns the enclave, as nitro-cli's reply to run-enclave names it. Its life is the enclave's: it alone holds
 * the enclave's descriptor, so its end ends the enclave (ne_misc_dev.c, ne_enclave_release); and when the enclave ends, the
 * driver hangs that descriptor up and the process exits. /proc tells of it without a question to nitro-cli, which would
 * write to a log that nobody rotates and disturb every enclave of the parent.
 *
 * Specification: aws-nitro-enclaves-cli 1.5, src/enclave_proc/mod.rs (try_handle_enclave_event); proc_pid_stat(5).
 */
import { readFileSync } from 'node:fs';
import { errorCode } from '../../../runtime/errors.ts';

const GONE: ReadonlySet<string | undefined> = new Set(['ENOENT', 'ESRCH']);
/** Places in /proc/PID/stat, counted from the state, which is its third field. */
const [STATE, THREADS, START_TICKS] = [0, 17, 19];

export class OwnerProcess {
  readonly #stat: string;
  /** Tells the process from a later one with the same number. */
  #startTicks: string | undefined;

  constructor(pid: number, procFolder = '/proc') {
    this.#stat = `${procFolder}/${pid}/stat`;
    this.isGone();
  }

  /** False too where /proc cannot tell. A process that only waits for its parent to notice its end is gone. */
  isGone(): boolean {
    let text: string;
    try {
      text = readFileSync(this.#stat, 'latin1');
    } catch (error) {
      return GONE.has(errorCode(error));
    }
    // The name before the state stands in parentheses and may hold anything.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    this.#startTicks ??= fields[START_TICKS];
    const isAnother = fields[START_TICKS] !== this.#startTicks;
    // While other threads run, they hold the descriptor.
    return isAnother || (/^[ZX]$/.test(fields[STATE] ?? '') && Number(fields[THREADS]) <= 1);
  }
}
