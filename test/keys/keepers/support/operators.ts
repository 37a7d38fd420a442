/** Operators with key pairs, and the keeper of their shares. */
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { rawPublicKey } from '../../../../keys/keepers/operator-keys.ts';
import { OperatorsKeeper } from '../../../../keys/keepers/operators.ts';
import type { OperatorShare } from '../../../../keys/set/kept-by.ts';
import { decodeKeySet, encodeKeySet, type KeySet } from '../../../../keys/set/key-set.ts';
import { sealMasterKey } from '../../../../keys/set/master-key.ts';
import { seededRandom } from '../../../support/seeded-random.ts';
import { secretOf } from './secrets.ts';

export const MASTER_KEY = Buffer.alloc(32, 5);
const NAMES = ['alice', 'bob', 'carol'] as const;

export interface Operators {
  readonly privateKeys: ReadonlyMap<string, KeyObject>;
  readonly recipients: ReadonlyMap<string, Buffer>;
}

export function newOperators(): Operators {
  const pairs = NAMES.map((name) => [name, generateKeyPairSync('x25519')] as const);
  return {
    privateKeys: new Map(pairs.map(([name, { privateKey }]) => [name, privateKey])),
    recipients: new Map(pairs.map(([name, { publicKey }]) => [name, rawPublicKey(publicKey)])),
  };
}

/** 2 of 3: one boot of an enclave. @param over its other options */
export function keeperFor(
  t: { teardown(end: () => void): void },
  { recipients }: Operators,
  over: { readonly k?: number; readonly takesOthers?: boolean } = {},
): OperatorsKeeper {
  const random = seededRandom('keeper');
  const keeper = new OperatorsKeeper({ enclave: 'shop', k: 2, recipients, random, takesOthers: false, ...over });
  t.teardown(() => keeper.dispose());
  return keeper;
}

export async function makeSet(keeper: OperatorsKeeper, generation = 1): Promise<KeySet> {
  const made = await keeper.create(generation, new AbortController().signal);
  using dataKey = made.dataKey;
  const rest = { version: 1 as const, name: 'shop', generation, previous: null, secrets: [], keyIds: [] };
  const keystore = [{ path: 'client_storage', content: 'AAAA' }];
  const set = { ...rest, keystore, keeper: made.keeper };
  const sealed = sealMasterKey(set, { masterKey: secretOf(MASTER_KEY), dataKey, random: seededRandom('nonce') });
  return decodeKeySet(encodeKeySet(sealed));
}

export function sharesOf({ keeper }: KeySet): readonly OperatorShare[] {
  if (keeper.kind !== 'operators') throw new Error(keeper.kind);
  return keeper.shares;
}
