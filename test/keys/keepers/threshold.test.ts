import { DisableKeyCommand, EnableKeyCommand, PutKeyPolicyCommand } from '@aws-sdk/client-kms';
import t from 'tap';
import { KeyError } from '../../../keys/errors.ts';
import { KeeperError } from '../../../keys/keepers/errors.ts';
import type { ShareFailure } from '../../../keys/keepers/share-failure.ts';
import { ThresholdKeeper, type ThresholdKeeperOptions } from '../../../keys/keepers/threshold.ts';
import type { KmsShare } from '../../../keys/set/kept-by.ts';
import { decodeKeySet, encodeKeySet, type KeySet } from '../../../keys/set/key-set.ts';
import { openMasterKey, sealMasterKey } from '../../../keys/set/master-key.ts';
import { AttestedKms } from '../../../kms/client.ts';
import { systemRandom } from '../../../runtime/random.ts';
import { toPcrIndex } from '../../../wire/brands.ts';
import { kmsFixture, REGION, rolePolicy } from '../../emulator/support/kms-fixture.ts';
import { nsmFixture } from '../../emulator/support/nsm-fixture.ts';
import { rejectsCode, throwsCode } from '../../support/coded-error.ts';
import { bytesOf, secretOf } from './support/secrets.ts';

type Test = Parameters<typeof kmsFixture>[0];

const MASTER_KEY = Buffer.alloc(32, 5);
const signal = new AbortController().signal;
const WITHOUT_MASTER_KEY = {
  version: 1 as const,
  name: 'shop',
  generation: 4,
  previous: null,
  keystore: [{ path: 'client_storage', content: 'AAAA' }],
  secrets: [],
  keyIds: [],
} satisfies Omit<KeySet, 'keeper' | 'masterKey'>;

/** Three KMS keys that open for one image, and an enclave of it. */
async function threeKeys(t: Test, overrides: Partial<ThresholdKeeperOptions> = {}) {
  const fixture = await kmsFixture(t);
  const { kms, nsm, roleCredential, admin } = fixture;
  const image = nsm.pcrs.get(toPcrIndex(0))!.toString('hex');
  const policy = rolePolicy({ StringEqualsIgnoreCase: { 'kms:RecipientAttestation:ImageSha384': image } });
  const keyArns = [await fixture.createKey(policy), await fixture.createKey(policy), await fixture.createKey(policy)];
  const connection = {
    region: REGION,
    endpoint: new URL(`https://kms.${REGION}.amazonaws.com:${kms.port}`),
    caPem: kms.caPem,
    dial: { host: kms.host, port: kms.port },
    credentials: async () => roleCredential,
    requestTimeoutMs: 5_000,
  };
  const failures: ShareFailure[] = [];
  const keeperOf = (module = nsm) => {
    const client = new AttestedKms(connection, module.provider);
    t.teardown(() => client.close());
    return new ThresholdKeeper({
      enclave: 'shop',
      k: 2,
      keyArns,
      formerKeyArns: [],
      encryptionContext: { enclave: 'shop' },
      kmsOf: () => client,
      random: systemRandom,
      onFailure: (failure) => failures.push(failure),
      ...overrides,
    });
  };
  const keeper = keeperOf();
  const disable = (keyArn: string) => admin.send(new DisableKeyCommand({ KeyId: keyArn }));
  return { ...fixture, keyArns: keyArns.toSorted(), keeper, keeperOf, failures, disable, policy };
}

async function makeSet(keeper: ThresholdKeeper, generation = 4): Promise<KeySet> {
  const made = await keeper.create(generation, signal);
  using dataKey = made.dataKey;
  const set = { ...WITHOUT_MASTER_KEY, generation, keeper: made.keeper };
  return decodeKeySet(
    encodeKeySet(sealMasterKey(set, { masterKey: secretOf(MASTER_KEY), dataKey, random: systemRandom })),
  );
}

function sharesOf({ keeper }: KeySet): readonly KmsShare[] {
  if (keeper.kind !== 'threshold') throw new Error(keeper.kind);
  return keeper.shares;
}

function withShares(set: KeySet, change: (share: KmsShare, index: number) => KmsShare): KeySet {
  return { ...set, keeper: { kind: 'threshold', k: 2, shares: sharesOf(set).map(change) } };
}

t.test('opens what it made, by all keys and by any two of three', async (t) => {
  const { keeper, keyArns, disable, admin, failures } = await threeKeys(t);
  const set = await makeSet(keeper);
  t.same(bytesOf(openMasterKey(set, await keeper.open(set, signal))), MASTER_KEY);
  t.same(failures, []);
  for (const keyArn of keyArns) {
    await disable(keyArn);
    t.same(bytesOf(openMasterKey(set, await keeper.open(set, signal))), MASTER_KEY);
    t.equal(failures.at(-1)?.keyArn, keyArn, 'that it is missing is told all the same');
    await admin.send(new EnableKeyCommand({ KeyId: keyArn }));
  }
});

t.test('tells refusals of too many keys from an outage (KEY_SHARES_REFUSED, KEY_SHARES_UNAVAILABLE)', async (t) => {
  const { keeper, keyArns, disable, kms } = await threeKeys(t);
  const set = await makeSet(keeper);
  const [first, second] = keyArns as [string, string, string];
  await disable(first);
  kms.faults.next('Decrypt', { kind: 'throttle' }, 2);
  const outage = await rejectsCode(() => keeper.open(set, signal), KeeperError, 'KEY_SHARES_UNAVAILABLE');
  t.match(outage.message, /KMS_THROTTLED/);
  kms.faults.clear();
  await disable(second);
  const refused = await rejectsCode(() => keeper.open(set, signal), KeeperError, 'KEY_SHARES_REFUSED');
  t.match(refused.message, `${second}: KMS_KEY_UNUSABLE`);
});

t.test('makes no data key unless every key takes its share', async (t) => {
  const { keeper, keyArns, disable } = await threeKeys(t);
  await disable(keyArns[2] as string);
  await rejectsCode(() => keeper.create(1, signal), KeeperError, 'KEY_SHARES_REFUSED');
});

t.test('gives nothing to an enclave of another image (KEY_SHARES_REFUSED)', async (t) => {
  const { keeper, keeperOf, nsm, clock } = await threeKeys(t);
  const set = await makeSet(keeper);
  const other = keeperOf(await nsmFixture(t, { clock, root: nsm.root, image: 'another' }));
  await rejectsCode(() => other.open(set, signal), KeeperError, 'KEY_SHARES_REFUSED');
});

t.test('tells a wrong share by name, and takes the next one (KEY_SHARE_WRONG)', async (t) => {
  const { keeper, failures } = await threeKeys(t);
  const set = await makeSet(keeper);
  const [one, two] = sharesOf(set) as [KmsShare, KmsShare, KmsShare];
  const changed = withShares(set, (share, index) => (index === 0 ? { ...share, sha256: two.sha256 } : share));
  const dataKey = await keeper.open(changed, signal);
  t.match(failures, [{ keyArn: one.keyArn, error: { code: 'KEY_SHARE_WRONG' } }]);
  t.same(bytesOf(openMasterKey(set, dataKey)), MASTER_KEY, 'the others were right');
  throwsCode(() => openMasterKey(changed, dataKey), KeyError, 'KEY_SET_UNSEALABLE');
});

t.test('tells shares that were exchanged, or come from another generation, as wrong', async (t) => {
  const { keeper } = await threeKeys(t);
  const [set, next] = [await makeSet(keeper, 4), await makeSet(keeper, 5)];
  const shares = sharesOf(set);
  const swapped = withShares(set, (share, index) => ({
    ...share,
    sealed: (shares[(index + 1) % 3] as KmsShare).sealed,
  }));
  const error = await rejectsCode(() => keeper.open(swapped, signal), KeeperError, 'KEY_SHARES_UNAVAILABLE');
  t.match(error.message, /KEY_SHARE_WRONG.*KEY_SHARE_WRONG.*KEY_SHARE_WRONG/);
  const mixed = withShares(set, (share, index) => ({ ...share, sealed: sharesOf(next)[index]?.sealed ?? '' }));
  await rejectsCode(() => keeper.open(mixed, signal), KeeperError, 'KEY_SHARES_UNAVAILABLE');
  const whole = withShares(set, (_, index) => sharesOf(next)[index] as KmsShare);
  await rejectsCode(() => keeper.open(whole, signal), KeyError, 'KEY_SET_OTHER_KEEPER');
});

t.test(
  'asks no KMS key and under no context that the configuration does not name (KEY_SET_OTHER_KEEPER)',
  async (t) => {
    const { keeper, kms } = await threeKeys(t);
    const set = await makeSet(keeper);
    kms.faults.next('Decrypt', { kind: 'close' });
    for (const change of [
      { keyArn: 'arn:aws:kms:eu-central-1:111122223333:key/other' },
      { encryptionContext: { a: 'b' } },
    ]) {
      const other = withShares(set, (share, index) => (index === 2 ? { ...share, ...change } : share));
      await rejectsCode(() => keeper.open(other, signal), KeyError, 'KEY_SET_OTHER_KEEPER');
    }
    t.same(kms.faults.take('Decrypt'), { kind: 'close' }, 'nothing was asked');
  },
);

t.test('one share and the whole set open nothing', async (t) => {
  const { keeper, keyArns, disable } = await threeKeys(t);
  const set = await makeSet(keeper);
  for (const keyArn of keyArns.slice(1)) await disable(keyArn);
  await rejectsCode(() => keeper.open(set, signal), KeeperError, 'KEY_SHARES_REFUSED');
  const sealed = Buffer.from(JSON.stringify(set));
  const held = sharesOf(set)
    .flatMap((share) => [share.sealed, share.dataKey])
    .map((text) => Buffer.from(text, 'base64'));
  for (const bytes of [sealed, ...held, ...sharesOf(set).map(({ sha256 }) => Buffer.from(sha256, 'hex'))]) {
    for (let at = 0; at + 32 <= bytes.length; at += 1) {
      using guess = secretOf(bytes.subarray(at, at + 32));
      throwsCode(() => openMasterKey(set, guess), KeyError, 'KEY_SET_UNSEALABLE');
    }
  }
});

t.test(
  'shares of the old set are useless beside those of the next, and once the key policy demands that',
  async (t) => {
    const { keeper, keyArns, admin, nsm } = await threeKeys(t);
    const [old, next] = [await makeSet(keeper, 4), await makeSet(keeper, 5)];
    t.notSame(
      sharesOf(old).map(({ sha256 }) => sha256),
      sharesOf(next).map(({ sha256 }) => sha256),
    );
    const image = nsm.pcrs.get(toPcrIndex(0))!.toString('hex');
    const demand = rolePolicy({
      StringEqualsIgnoreCase: { 'kms:RecipientAttestation:ImageSha384': image },
      StringEquals: { 'kms:EncryptionContext:acra-enclave-generation': '5' },
    });
    for (const keyArn of keyArns) await admin.send(new PutKeyPolicyCommand({ KeyId: keyArn, Policy: demand }));
    await rejectsCode(() => keeper.open(old, signal), KeeperError, 'KEY_SHARES_REFUSED');
    t.same(bytesOf(openMasterKey(next, await keeper.open(next, signal))), MASTER_KEY);
  },
);

t.test('stops asking with its signal', async (t) => {
  const { keeper, kms, failures } = await threeKeys(t);
  const set = await makeSet(keeper);
  kms.faults.next('Decrypt', { kind: 'hang' }, 3);
  const controller = new AbortController();
  const opened = keeper.open(set, controller.signal);
  controller.abort(new Error('enough'));
  await t.rejects(opened, { message: 'enough' });
  t.same(failures, []);
});
