/**
 * Who keeps the data key under which a key set's master key lies: one KMS key, several of which some are enough, or operators. What makes
 * and opens key sets asks this, and knows nothing of who it is. Specification: docs/specs/key-sets.md, 1 and 6.
 */
import type { SecretBuffer } from '../../runtime/secret-buffer.ts';
import type { KeptBy } from '../set/kept-by.ts';
import type { KeySet } from '../set/key-set.ts';

export interface NewDataKey {
  /** 32 bytes; the caller disposes them, and seals one master key with them. */
  readonly dataKey: SecretBuffer;
  readonly keeper: KeptBy;
}

export interface KeyKeeper {
  /** @param generation of the set that it is for. @throws CodedError of whoever is asked; the signal's reason */
  create(generation: number, signal: AbortSignal): Promise<NewDataKey>;
  /**
   * Asks once: patience is the caller's, who brings the same set again. Operators are not asked: it is opened when they have loaded enough
   * shares (KEY_SHARES_AWAITED until then).
   * @param set whose data key is wanted; its transcript has been read. Its keeper must be one that the measured configuration names
   * @throws KeyError KEY_SET_OTHER_KEEPER; CodedError of whoever is asked; the signal's reason
   */
  open(set: KeySet, signal: AbortSignal): Promise<SecretBuffer>;
}
