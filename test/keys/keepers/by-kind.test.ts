import t from 'tap';
import { KeyError } from '../../../keys/errors.ts';
import { keepersByKind } from '../../../keys/keepers/by-kind.ts';
import { KeeperError } from '../../../keys/keepers/errors.ts';
import type { KeyKeeper } from '../../../keys/keepers/keeper.ts';
import { KmsKeeper } from '../../../keys/keepers/kms.ts';
import { rejectsCode, throwsCode } from '../../support/coded-error.ts';
import { keeperFor, makeSet, newOperators } from './support/operators.ts';
import { secretOf } from './support/secrets.ts';

const signal = new AbortController().signal;
const KEY_ARN = 'arn:aws:kms:eu-central-1:111122223333:key/a';

/** KMS as if it opened everything. */
const kms: KeyKeeper = new KmsKeeper({
  kmsOf: () => ({
    generateDataKey: async () => ({ plaintext: secretOf(Buffer.alloc(32)), ciphertext: Buffer.alloc(9) }),
    decrypt: async () => secretOf(Buffer.alloc(32, 4)),
  }),
  keyArn: KEY_ARN,
  encryptionContext: {},
  formerKeyArns: [],
});

t.test('makes by the one that is named, and opens each set by the keeper of its kind', async (t) => {
  const operators = keeperFor(t, newOperators());
  const set = await makeSet(operators);
  const openers = new Map<'kms' | 'operators', KeyKeeper>([
    ['kms', kms],
    ['operators', operators],
  ]);
  const both = keepersByKind('kms', openers);
  const { keeper } = await both.create(2, signal);
  t.equal(keeper.kind, 'kms');
  t.equal((await both.open({ ...set, generation: 2, keeper }, signal)).length, 32);
  await rejectsCode(() => both.open(set, signal), KeeperError, 'KEY_SHARES_AWAITED');
});

t.test('opens no set of a kind that nobody here keeps (KEY_SET_OTHER_KEEPER)', async (t) => {
  const set = await makeSet(keeperFor(t, newOperators()));
  const alone = keepersByKind('kms', new Map([['kms', kms]]));
  await rejectsCode(() => alone.open(set, signal), KeyError, 'KEY_SET_OTHER_KEEPER');
  throwsCode(() => keepersByKind('threshold', new Map([['kms', kms]])), KeyError, 'KEY_SET_OTHER_KEEPER');
});
