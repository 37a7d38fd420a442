/**
 * An operator's share of the data key of the set that was brought last: opened with the key of this boot, compared with the hash in the set,
 * and kept until the set is opened. Specification: docs/specs/key-sets.md, 6.
 */
import type { KeyObject } from 'node:crypto';
import { KeeperError } from '../../keys/keepers/errors.ts';
import type { ShareCount } from '../../keys/keepers/loaded-shares.ts';
import type { OperatorsKeeper } from '../../keys/keepers/operators.ts';
import { type LoadedShare, openLoadedShare, readLoadedShare } from '../../keys/requests/loaded-share.ts';

export interface LoadedBy {
  readonly operator: string;
  readonly count: ShareCount;
}

export interface LoadShareDeps {
  readonly operators: Pick<OperatorsKeeper, 'load'>;
  /** `name` of enclave.yaml. */
  readonly name: string;
  /** To the runtime statement: 48 bytes. */
  readonly commitment: Buffer;
  /** Of this boot. */
  readonly privateKey: KeyObject;
}

/** @throws KeeperError KEY_SHARE_INVALID, KEY_SHARE_UNSEALABLE, KEY_SHARE_UNEXPECTED, KEY_SHARE_WRONG: it then does not count */
export async function loadShare(file: Buffer, { operators, privateKey, ...own }: LoadShareDeps): Promise<LoadedBy> {
  const loaded = readLoadedShare(file);
  requireOwn(loaded, own);
  const share = await openLoadedShare(privateKey, loaded);
  const { operator, keySet } = loaded;
  return { operator, count: operators.load(keySet, operator, share) };
}

/** What the operator took this enclave for. */
function requireOwn(
  { enclave, commitment, operator }: LoadedShare,
  own: Pick<LoadShareDeps, 'name' | 'commitment'>,
): void {
  const expected = own.commitment.toString('hex');
  if (enclave === own.name && commitment === expected) return;
  throw new KeeperError('KEY_SHARE_UNEXPECTED', `the share of ${operator} is for another enclave`, {
    found: `${enclave}, ${commitment}`,
    allowed: `${own.name}, ${expected}`,
  });
}
