/**
 * Whether old data keys may go: operators judge it, since the enclave cannot see the database and forgets what they have signed. What is
 * proved counts for the keys of the very set from which the enclave is asked to make the next one.
 */
import { readProof, requireProofs } from '../../keys/reencryption-proof.ts';
import { readConfigured } from '../configured.ts';
import { type JudgedKeySet, requireUsed } from './judged-set.ts';

export interface Forgetting {
  readonly clientIds: readonly string[];
  /** Hash of the set that the request names: the enclave refuses it with another one in use. */
  readonly from: string | null;
  readonly judged: JudgedKeySet;
  /** The measured folder. */
  readonly enclave: string;
  /** Files: what `data reencrypt --check --json` printed. */
  readonly proofs: readonly string[];
}

/** @throws CliError CLI_KEYS_OTHER_SET; KeyError KEY_PROOF */
export function requireForgettable({ clientIds, from, judged, enclave, proofs }: Forgetting): void {
  requireUsed(judged, from);
  const { keyIds } = judged.set;
  const ids = clientIds.map(
    (id) => keyIds.find(({ clientId }) => clientId === id) ?? { clientId: id, current: undefined, old: [] },
  );
  requireProofs(ids, readConfigured(enclave).tables, proofs.map(readProof));
}
