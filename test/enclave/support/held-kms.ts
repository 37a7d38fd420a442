/** KMS that keeps an answer back, so that a step of an enclave is known to have begun and not to have ended. */
import type { AuditEntry } from '../../../emulator/kms/audit.ts';
import { untilChanged } from '../../support/watched-files.ts';
import { wholeLines } from '../../support/whole-lines.ts';
import type { EnclaveCloud } from './cloud.ts';
import { step } from './enclave-stack.ts';

type Operation = 'GenerateDataKey' | 'Decrypt';
/** More than anybody asks meanwhile. */
const ALL = 1_000;

export class HeldKms {
  readonly #emulated: NonNullable<EnclaveCloud['emulated']>;

  constructor(emulated: NonNullable<EnclaveCloud['emulated']>) {
    this.#emulated = emulated;
  }

  /** From now on nobody is answered. @returns waits until the next one has asked */
  hold(operation: Operation): () => Promise<void> {
    const { faults, auditFile } = this.#emulated;
    const before = unanswered(auditFile, operation);
    faults.next(operation, { kind: 'hang' }, ALL);
    return () => untilChanged(auditFile, () => unanswered(auditFile, operation) > before, step()).then(() => undefined);
  }

  release(): void {
    this.#emulated.faults.clear();
  }
}

function unanswered(auditFile: string, operation: Operation): number {
  return wholeLines(auditFile)
    .map((line) => JSON.parse(line) as AuditEntry)
    .filter((entry) => entry.operation === operation && entry.outcome === 'unanswered').length;
}
