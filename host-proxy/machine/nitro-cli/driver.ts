/**
 * Enclaves on Nitro hardware, through nitro-cli: it allocates memory and CPUs, loads the image, waits for the heartbeat on
 * CID 3 port 9000, and leaves a process behind that owns the enclave.
 *
 * Specification: aws-nitro-enclaves-cli 1.5; nitro-formats, "nitro-cli limits".
 */
import { randomBytes } from 'node:crypto';
import { statSync } from 'node:fs';
import type { NitroCliRun } from '../../../config/enclave-run.ts';
import type { Clock } from '../../../runtime/clock.ts';
import { describeError } from '../../../runtime/errors.ts';
import type { Logger } from '../../../runtime/log.ts';
import type { Cid } from '../../../wire/brands.ts';
import type { ConsoleSink, EnclaveDriver, RunningEnclave } from '../driver.ts';
import { EnclaveError } from '../errors.ts';
import { NitroCli } from './cli.ts';
import { endMarked } from './marked-processes.ts';
import { NitroEnclave } from './running.ts';

/** ENCLAVE_MEMORY_EIF_SIZE_RATIO of nitro-cli. */
const MEMORY_PER_IMAGE = 4;
const MEBIBYTE = 1024 * 1024;
const MARK_BYTES = 16;

export interface NitroCliDriverDeps {
  readonly run: NitroCliRun;
  readonly cid: Cid;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly console: ConsoleSink;
}

export class NitroCliDriver implements EnclaveDriver {
  readonly kind = 'nitro-cli';
  readonly #deps: NitroCliDriverDeps;
  readonly #cli: NitroCli;

  constructor(deps: NitroCliDriverDeps) {
    this.#deps = deps;
    this.#cli = new NitroCli(deps.run.program, deps.clock);
  }

  get hasConsole(): boolean {
    return this.#deps.run.debug;
  }

  /**
   * Resolves when the heartbeat has come, which nitro-cli itself waits for. An abort may take up to 10 s: nitro-cli is not
   * killed (see cli.ts). @throws EnclaveError
   */
  async start(signal: AbortSignal): Promise<RunningEnclave> {
    const { run, cid } = this.#deps;
    checkMemory(run);
    await this.#endLeftover(signal);
    const mark = randomBytes(MARK_BYTES).toString('hex');
    try {
      const info = await this.#cli.run(run, cid, mark, signal);
      if (info.EnclaveCID !== cid) {
        throw new EnclaveError('ENCLAVE_NITRO_CLI_REPLY', 'nitro-cli gave the enclave another CID', {
          found: String(info.EnclaveCID),
          allowed: String(cid),
        });
      }
      const { EnclaveID: id, ProcessID: ownerPid } = info;
      const enclave = new NitroEnclave({ ...this.#deps, cli: this.#cli, id, ownerPid, mark });
      await enclave.attachConsole();
      return enclave;
    } catch (error) {
      if (await endMarked(mark, this.#deps.clock)) throw error;
      throw new EnclaveError('ENCLAVE_NOT_TERMINATED', 'what a failed start left behind could not be ended', {
        cause: error,
      });
    }
  }

  /** A daemon that was killed leaves its enclave running; it is ours if it has our CID and our name. */
  async #endLeftover(signal: AbortSignal): Promise<void> {
    const { run, cid, logger } = this.#deps;
    const { enclaves, unsure } = await this.#cli.describe();
    signal.throwIfAborted();
    // No reason not to try: the driver refuses a CID that is in use.
    if (unsure) logger.log('warn', 'enclave.describe-failed', { reason: describeError(unsure) });
    const sameCid = enclaves.find(({ EnclaveCID }) => EnclaveCID === cid);
    if (!sameCid) return;
    // nitro-cli appends `_1` and so on to a name that is taken.
    if (sameCid.EnclaveName?.replace(/_\d+$/, '') !== run.name) {
      throw new EnclaveError('ENCLAVE_CID_TAKEN', `CID ${cid} belongs to another enclave of this parent`, {
        found: `${sameCid.EnclaveName ?? 'an enclave without a name'} (${sameCid.EnclaveID})`,
      });
    }
    logger.log('warn', 'enclave.leftover', { id: sameCid.EnclaveID, cid });
    await this.#cli.terminate(sameCid.EnclaveID);
  }
}

/** @throws EnclaveError ENCLAVE_IMAGE_UNREADABLE, ENCLAVE_MEMORY_TOO_SMALL */
function checkMemory({ image, memoryMiB }: NitroCliRun): void {
  let imageBytes: number;
  try {
    imageBytes = statSync(image).size;
  } catch (cause) {
    throw new EnclaveError('ENCLAVE_IMAGE_UNREADABLE', `cannot read ${image}`, { cause, found: describeError(cause) });
  }
  const neededMiB = Math.ceil(imageBytes / MEBIBYTE) * MEMORY_PER_IMAGE;
  if (memoryMiB * MEBIBYTE >= imageBytes * MEMORY_PER_IMAGE) return;
  throw new EnclaveError('ENCLAVE_MEMORY_TOO_SMALL', `${image} needs more memory than the enclave is given`, {
    found: `memoryMiB: ${memoryMiB}`,
    allowed: `at least ${neededMiB}, ${MEMORY_PER_IMAGE} times the image`,
  });
}
