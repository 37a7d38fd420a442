/** One KMS key as keeper, under the key policy that `policy print` makes: which sets open, for whom, and in which generation. */
import { EncryptCommand, GenerateDataKeyCommand, PutKeyPolicyCommand } from '@aws-sdk/client-kms';
import t, { type Test } from 'tap';
import { administratorPrincipal, roleArn } from '../../../emulator/principal.ts';
import { KeyError } from '../../../keys/errors.ts';
import { KmsKeeper } from '../../../keys/keepers/kms.ts';
import { AttestedKms } from '../../../kms/client.ts';
import { KmsError } from '../../../kms/errors.ts';
import { makeKeyPolicy } from '../../../kms/policy/key-policy.ts';
import { toPcrIndex } from '../../../wire/brands.ts';
import { kmsFixture, REGION, ROLE } from '../../emulator/support/kms-fixture.ts';
import { nsmFixture } from '../../emulator/support/nsm-fixture.ts';
import { rejectsCode } from '../../support/coded-error.ts';
import { bytesOf } from './support/secrets.ts';

const CONTEXT = { enclave: 'shop' };
const signal = new AbortController().signal;
const administrator = administratorPrincipal('administrator').policyArn;

async function enclave(t: Test) {
  const fixture = await kmsFixture(t);
  const { kms, nsm, clock, roleCredential, admin } = fixture;
  const keyArn = await fixture.createKey();
  const connection = {
    region: REGION,
    endpoint: new URL(`https://kms.${REGION}.amazonaws.com:${kms.port}`),
    caPem: kms.caPem,
    dial: { host: kms.host, port: kms.port },
    credentials: async () => roleCredential,
    requestTimeoutMs: 5_000,
  };
  const image = new Map([[toPcrIndex(0), nsm.pcrs.get(toPcrIndex(0)) ?? Buffer.alloc(48)]]);
  /** The policy of keys that are born in this enclave. */
  const demand = async (...generations: readonly number[]) => {
    const policy = makeKeyPolicy({
      roleArn: roleArn(ROLE),
      measurements: [image],
      administrators: [administrator],
      policyAdministrators: [administrator],
      encryptionContext: CONTEXT,
      keysBornInEnclave: true,
      generations,
    });
    await admin.send(new PutKeyPolicyCommand({ KeyId: keyArn, Policy: JSON.stringify(policy) }));
  };
  const keeperOf = (module = nsm, encryptionContext: Readonly<Record<string, string>> = CONTEXT) => {
    const client = new AttestedKms(connection, module.provider);
    t.teardown(() => client.close());
    return new KmsKeeper({ kmsOf: () => client, keyArn, encryptionContext, formerKeyArns: [] });
  };
  const anotherImage = () => nsmFixture(t, { clock, root: nsm.root, image: 'another' });
  return { ...fixture, keyArn, demand, keeper: keeperOf(), keeperOf, anotherImage };
}

t.test('opens the data key that it had made, for the same generation', async (t) => {
  const { keeper, demand, keyArn } = await enclave(t);
  await demand();
  const made = await keeper.create(3, signal);
  t.match(made.keeper, {
    kind: 'kms',
    keyArn,
    encryptionContext: { ...CONTEXT, 'acra-enclave-generation': '3' },
  });
  t.same(bytesOf(await keeper.open({ keeper: made.keeper, generation: 3 }, signal)), bytesOf(made.dataKey));
});

t.test(
  'opens the generations that the key policy demands, and makes the next one before (KMS_ACCESS_DENIED)',
  async (t) => {
    const { keeper, demand } = await enclave(t);
    await demand(1);
    const sets = new Map<
      number,
      { readonly keeper: Awaited<ReturnType<typeof keeper.create>>['keeper']; generation: number }
    >();
    for (const generation of [1, 2]) {
      const made = await keeper.create(generation, signal);
      made.dataKey.dispose();
      sets.set(generation, { keeper: made.keeper, generation });
    }
    const open = async (generation: number) => {
      const set = sets.get(generation);
      if (set === undefined) throw new Error('never made');
      using _dataKey = await keeper.open(set, signal);
    };
    await open(1);
    await rejectsCode(() => open(2), KmsError, 'KMS_ACCESS_DENIED');
    await demand(1, 2);
    await open(1);
    await open(2);
    await demand(2);
    await open(2);
    await rejectsCode(() => open(1), KmsError, 'KMS_ACCESS_DENIED');
  },
);

t.test('gives nothing to an enclave of another image, neither old keys nor new ones (KMS_ACCESS_DENIED)', async (t) => {
  const { keeper, keeperOf, anotherImage, demand } = await enclave(t);
  await demand(1);
  const made = await keeper.create(1, signal);
  made.dataKey.dispose();
  const other = keeperOf(await anotherImage());
  await rejectsCode(() => other.open({ keeper: made.keeper, generation: 1 }, signal), KmsError, 'KMS_ACCESS_DENIED');
  await rejectsCode(() => other.create(1, signal), KmsError, 'KMS_ACCESS_DENIED');
});

t.test('asks KMS for no other key, context or generation than the measured ones (KEY_SET_OTHER_KEEPER)', async (t) => {
  const { keeper, keyArn, kms, demand } = await enclave(t);
  await demand();
  const { keeper: kept, dataKey } = await keeper.create(4, signal);
  dataKey.dispose();
  if (kept.kind !== 'kms') throw new Error(kept.kind);
  const other = `${keyArn.slice(0, -4)}0000`;
  const changes = [
    { keeper: { ...kept, keyArn: other }, generation: 4 },
    { keeper: kept, generation: 5 },
    { keeper: { ...kept, encryptionContext: { ...kept.encryptionContext, enclave: 'other' } }, generation: 4 },
    { keeper: { ...kept, encryptionContext: CONTEXT }, generation: 4 },
    { keeper: { ...kept, encryptionContext: { ...kept.encryptionContext, more: 'x' } }, generation: 4 },
  ];
  kms.faults.next('Decrypt', { kind: 'close' });
  for (const changed of changes) {
    await rejectsCode(() => keeper.open(changed, signal), KeyError, 'KEY_SET_OTHER_KEEPER');
  }
  t.same(kms.faults.take('Decrypt'), { kind: 'close' }, 'nothing was asked');
});

t.test('opens no data key under the generation of another (KMS_INVALID_CIPHERTEXT)', async (t) => {
  const { keeper, demand } = await enclave(t);
  await demand();
  const [four, five] = [await keeper.create(4, signal), await keeper.create(5, signal)];
  for (const made of [four, five]) made.dataKey.dispose();
  if (four.keeper.kind !== 'kms' || five.keeper.kind !== 'kms') throw new Error('not of KMS');
  const mixed = { ...five.keeper, dataKey: four.keeper.dataKey };
  await rejectsCode(() => keeper.open({ keeper: mixed, generation: 5 }, signal), KmsError, 'KMS_INVALID_CIPHERTEXT');
});

t.test(
  'lets nobody outside seal or make a data key of his own, the parent with its role and the administrator neither',
  async (t) => {
    const { role, admin, keyArn, demand } = await enclave(t);
    const EncryptionContext = { ...CONTEXT, 'acra-enclave-generation': '1' };
    for (const generations of [[], [1]]) {
      await demand(...generations);
      for (const client of [role, admin]) {
        const own = { KeyId: keyArn, EncryptionContext };
        const denied = { name: 'AccessDeniedException' };
        await t.rejects(client.send(new EncryptCommand({ ...own, Plaintext: Buffer.alloc(32) })), denied);
        await t.rejects(client.send(new GenerateDataKeyCommand({ ...own, NumberOfBytes: 32 })), denied);
      }
    }
  },
);
