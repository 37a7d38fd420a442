/** Key sets as an enclave makes them, one after the other, for whoever only keeps them. */

import type { KeyAction } from '../../../../keys/requests/key-request.ts';
import { readKeyRequest } from '../../../../keys/requests/key-request.ts';
import { KeyEnclave, type MadeKeys, makeOperator, type Operator } from '../../../keys/support/key-enclave.ts';
import { signedRequest, verifyingKeyOf } from '../../../keys/support/signed-request.ts';

export const CLIENT = 'ab'.repeat(64);
const CEREMONY: KeyAction = { kind: 'ceremony', clients: [CLIENT], secrets: [] };

export interface Maker {
  readonly enclave: KeyEnclave;
  readonly operator: Operator;
  /** From the set that the enclave has; it takes the new one. */
  next(): Promise<MadeKeys>;
  /** The same, but it goes on with what it has. */
  sibling(): MadeKeys;
  /** In another boot. */
  takeInstead(made: MadeKeys): Promise<void>;
}

export function makerOfSets(nowMs?: number): Maker {
  const operator = makeOperator('alice');
  const enclave = new KeyEnclave({ operators: [verifyingKeyOf(operator)], ...(nowMs !== undefined && { nowMs }) });
  const sibling = () => {
    const action: KeyAction = enclave.taken === undefined ? CEREMONY : { kind: 'rotate-master' };
    const envelope = signedRequest(enclave, action, [operator]);
    return enclave.make(readKeyRequest(envelope), envelope);
  };
  const take = async ({ keySet, transcript }: MadeKeys) => {
    const members = { keySet: keySet.toString('base64'), transcript: transcript.toString('base64') };
    await enclave.answer({ type: 'bring-keys', ...members });
  };
  const next = async () => {
    const made = sibling();
    await take(made);
    return made;
  };
  const takeInstead = async (made: MadeKeys) => {
    enclave.restart();
    await take(made);
  };
  return { enclave, operator, next, sibling, takeInstead };
}
