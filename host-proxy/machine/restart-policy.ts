/** Whether and when an enclave that ended is started again: by policy, with back-off, and not for ever. */
import type { EnclaveRun } from '../../config/enclave-run.ts';
import { backoffMs } from '../../runtime/backoff.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Random } from '../../runtime/random.ts';
import type { EnclaveErrorCode } from './errors.ts';
import { EnclaveError } from './errors.ts';

/** What another attempt cannot mend: somebody has to. */
const PERMANENT: ReadonlySet<EnclaveErrorCode> = new Set([
  'ENCLAVE_CID_TAKEN',
  'ENCLAVE_DEVICE_MISSING',
  'ENCLAVE_IMAGE_INVALID',
  'ENCLAVE_IMAGE_UNREADABLE',
  'ENCLAVE_MEMORY_TOO_SMALL',
  'ENCLAVE_NITRO_CLI_ENVIRONMENT',
  'ENCLAVE_NITRO_CLI_REPLY',
  'ENCLAVE_NOT_TERMINATED',
  'ENCLAVE_SIGNATURE_INVALID',
]);

export class RestartPolicy {
  readonly #limits: EnclaveRun['restart'];
  readonly #clock: Clock;
  readonly #random: Random;
  #restartsMs: number[] = [];

  constructor(limits: EnclaveRun['restart'], clock: Clock, random: Random) {
    this.#limits = limits;
    this.#clock = clock;
    this.#random = random;
  }

  /**
   * How long to wait before the next start; undefined when the enclave ended in order and the policy leaves it there.
   * @param failure undefined when it ended in order.
   * @throws the failure when it is not to be retried; EnclaveError ENCLAVE_GAVE_UP when there were too many.
   */
  afterEnd(failure: unknown): number | undefined {
    const { policy, maxRestarts, windowMs } = this.#limits;
    if (failure === undefined && policy !== 'always') return undefined;
    const isPermanent = !(failure instanceof EnclaveError) || PERMANENT.has(failure.code);
    if (failure !== undefined && (policy === 'never' || isPermanent)) throw failure;
    const nowMs = this.#clock.monotonicMs();
    this.#restartsMs = this.#restartsMs.filter((ms) => nowMs - ms < windowMs);
    if (this.#restartsMs.length >= maxRestarts) {
      const found = `${this.#restartsMs.length} restarts within ${windowMs} ms`;
      throw new EnclaveError('ENCLAVE_GAVE_UP', 'the enclave is not started again', { found, cause: failure });
    }
    const waitMs = backoffMs(this.#limits, this.#restartsMs.length, this.#random);
    this.#restartsMs.push(nowMs);
    return waitMs;
  }
}
