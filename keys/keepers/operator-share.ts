/**
 * An operator's share as it lies in a key set: HPKE (keys/requests/hpke.ts) to the operator's X25519 key. `info` names enclave and
 * generation, the associated data the operator. Specification: docs/specs/key-sets.md, 6.
 */
import { createPublicKey, type KeyObject } from 'node:crypto';
import type { SecretBuffer } from '../../runtime/secret-buffer.ts';
import { KeyError } from '../errors.ts';
import { type HpkeBinding, hpkeOpen } from '../requests/hpke.ts';
import type { KeySet } from '../set/key-set.ts';
import { KeeperError } from './errors.ts';
import { rawPublicKey } from './operator-keys.ts';
import { shareDigest } from './shares.ts';

interface ShareOwner {
  /** `name` of enclave.yaml. */
  readonly enclave: string;
  readonly generation: number;
  readonly operator: string;
}

export function operatorShareBinding({ enclave, generation, operator }: ShareOwner): HpkeBinding {
  return { info: { domain: 'acra-enclave operator share v1', enclave, generation }, whose: operator };
}

/**
 * With the operator's own key, where that lies.
 * @throws KeyError KEY_SET_OTHER_KEEPER; KeeperError KEY_SHARE_OTHER_RECIPIENT, KEY_SHARE_UNSEALABLE, KEY_SHARE_WRONG
 */
export async function openOperatorShare(
  { keeper, name, generation }: Pick<KeySet, 'keeper' | 'name' | 'generation'>,
  privateKey: KeyObject,
): Promise<{ readonly operator: string; readonly share: SecretBuffer }> {
  if (keeper.kind !== 'operators') {
    const details = { found: keeper.kind, allowed: 'operators' };
    throw new KeyError('KEY_SET_OTHER_KEEPER', 'the key set has no shares of operators', details);
  }
  const recipient = rawPublicKey(createPublicKey(privateKey)).toString('base64');
  const own = keeper.shares.find((each) => each.recipient === recipient);
  if (own === undefined) {
    throw new KeeperError('KEY_SHARE_OTHER_RECIPIENT', 'no share of the key set is encrypted to this key', {
      found: recipient,
      allowed: keeper.shares.map((each) => `${each.operator}: ${each.recipient}`).join(', '),
    });
  }
  const { operator } = own;
  let share: SecretBuffer;
  try {
    share = await hpkeOpen(privateKey, own, operatorShareBinding({ enclave: name, generation, operator }));
  } catch (cause) {
    throw new KeeperError('KEY_SHARE_UNSEALABLE', `the share of ${operator} in the key set does not open`, { cause });
  }
  if (shareDigest(share) === own.sha256) return { operator, share };
  share.dispose();
  throw new KeeperError('KEY_SHARE_WRONG', `the share of ${operator} is not the one that the key set names`);
}
