/**
 * Who keeps the data key under which a key set's master key lies: one KMS key, several of which some are enough, or operators. What makes
 * and opens key sets asks this, and knows nothing of who it is. Specification: docs/specs/key-sets.md, 1.
 */
import type { SecretBuffer } from '../../runtime/secret-buffer.ts';
import type { KeySet } from '../set/key-set.ts';

export type KeptBy = KeySet['keeper'];

export interface NewDataKey {
  /** 32 bytes; the caller disposes them, and seals one master key with them. */
  readonly dataKey: SecretBuffer;
  readonly keeper: KeptBy;
}

export interface KeyKeeper {
  /** @param generation of the set that it is for. @throws CodedError of whoever is asked; the signal's reason */
  create(generation: number, signal: AbortSignal): Promise<NewDataKey>;
  /**
   * Asks once: patience is the caller's.
   * @param set whose data key is wanted: its keeper must be one that the measured configuration names
   * @throws KeyError KEY_SET_OTHER_KEEPER; CodedError of whoever is asked; the signal's reason
   */
  open(set: Pick<KeySet, 'keeper' | 'generation'>, signal: AbortSignal): Promise<SecretBuffer>;
}
