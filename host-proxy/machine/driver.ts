/**
 * What the life cycle needs of a machine that enclaves run on. A driver starts one machine at a time; whatever it started
 * is gone once `ended` resolves.
 */
import type { Cid } from '../../wire/brands.ts';

export interface EnclaveEnd {
  /** `terminated`: because we asked. `exited`: by itself. */
  readonly how: 'terminated' | 'exited';
  /** For people: what was seen, such as the exit code of QEMU or the state that nitro-cli told. */
  readonly detail: string;
}

export interface RunningEnclave {
  /** As nitro-cli names it (`i-…-enc…`), or the name of the machine. */
  readonly id: string;
  readonly cid: Cid;
  /** Resolves when the byte 0xB7 has come and was answered. Rejects with EnclaveError ENCLAVE_HEARTBEAT_WRONG. */
  readonly heartbeat: Promise<void>;
  /** Resolves within 2 s after the machine ended, with nothing left behind; not after `terminate` threw. Never rejects. */
  readonly ended: Promise<EnclaveEnd>;
  /** Ends the machine without asking the enclave. Idempotent. @throws EnclaveError ENCLAVE_NOT_TERMINATED */
  terminate(): Promise<void>;
}

export interface EnclaveDriver {
  readonly kind: 'nitro-cli' | 'qemu';
  /** False where enclaves have no console (nitro-cli without debug mode). */
  readonly hasConsole: boolean;
  /** Starts a machine. When it rejects, or the signal aborts first, nothing is left behind. @throws EnclaveError */
  start(signal: AbortSignal): Promise<RunningEnclave>;
}

/** Takes the lines of the serial console as they come. */
export interface ConsoleSink {
  push(line: string): void;
}
