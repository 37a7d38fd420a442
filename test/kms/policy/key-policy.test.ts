import t from 'tap';
import { KmsPolicyError } from '../../../kms/policy/errors.ts';
import { makeKeyPolicy, makeRolePolicy } from '../../../kms/policy/key-policy.ts';
import type { PolicyWish } from '../../../kms/policy/wish.ts';
import { ACCOUNT, IMAGE, NEXT_IMAGE, ROLE, registers, SIGNED, WISH, WISHES } from './support/wishes.ts';

/** KMS's limit on a key policy. */
const MAX_POLICY_BYTES = 32_768;

t.test('rejects wishes of which no sound policy can be made (KMS_POLICY_WISH)', async (t) => {
  const wrong: Readonly<Record<string, Partial<PolicyWish>>> = {
    'no measurement': { measurements: [] },
    'a measurement without registers': { measurements: [new Map()] },
    'different registers': { measurements: [IMAGE, SIGNED] },
    'one of which names fewer': { measurements: [IMAGE, registers({ 0: 'c0', 3: 'a3' })] },
    'debug mode': { measurements: [registers({ 0: '00', 3: 'a3' })] },
    'debug mode among others': { measurements: [SIGNED, registers({ 1: 'a1', 2: '00', 3: 'a3', 8: 'a8' })] },
    'the account as role': { roleArn: ACCOUNT },
    'a session as role': { roleArn: 'arn:aws:sts::111122223333:assumed-role/acra-enclave/i-0' },
    'any role': { roleArn: 'arn:aws:iam::111122223333:role/*' },
    'the account as administrator': { administrators: [ACCOUNT] },
    'everybody as administrator': { policyAdministrators: ['*'] },
    'the role as administrator': { administrators: [ROLE] },
    'a generation of keys of an image': { generations: [1] },
    'a generation before the first': { keysBornInEnclave: true, generations: [0] },
    'half a generation': { keysBornInEnclave: true, generations: [1.5] },
    'a generation twice': { keysBornInEnclave: true, generations: [7, 7] },
    'three generations': { keysBornInEnclave: true, generations: [6, 7, 8] },
    'the role as policy administrator': { policyAdministrators: [ROLE] },
  };
  for (const [name, more] of Object.entries(wrong)) {
    t.throws(() => makeKeyPolicy({ ...WISH, ...more }), { constructor: KmsPolicyError, code: 'KMS_POLICY_WISH' }, name);
  }
});

t.test('keeps within what KMS takes: length, names of statements, one of each', async (t) => {
  const many = Array.from({ length: 12 }, (_, nth) =>
    registers({ 1: 'a1', 2: `${nth % 10}a`, 3: 'a3', 4: 'a4', 8: 'a8', 16: 'b6' }),
  );
  for (const wish of [...Object.values(WISHES), { ...WISH, measurements: many }]) {
    const policy = makeKeyPolicy(wish);
    t.ok(JSON.stringify(policy).length < MAX_POLICY_BYTES);
    const sids = policy.Statement.map(({ Sid }) => String(Sid));
    t.equal(new Set(sids).size, sids.length);
    for (const sid of sids) t.match(sid, /^[A-Za-z0-9]+$/);
  }
});

t.test('names PCR0 as KMS does, and writes each image in a statement of its own', async (t) => {
  const { Statement } = makeKeyPolicy({ ...WISH, measurements: [IMAGE, NEXT_IMAGE] });
  const enclaves = Statement.filter(
    ({ Principal, Effect }) => Effect === 'Allow' && JSON.stringify(Principal).includes(ROLE),
  );
  const images = enclaves.map(({ Condition }) => JSON.stringify(Condition).match(/ImageSha384":"([0-9a-f]{4})/)?.[1]);
  t.same(images, ['a0a0', 'c0c0']);
});

t.test('allows the role randomness, and the key where it belongs to another account', async (t) => {
  const actions = (keyArn?: string) => makeRolePolicy(WISH, keyArn).Statement.map(({ Action }) => Action);
  t.same(actions(), ['kms:GenerateRandom']);
  t.same(actions('arn:aws:kms:eu-central-1:111122223333:key/x'), ['kms:GenerateRandom']);
  t.same(actions('arn:aws:kms:eu-central-1:444455556666:key/x'), ['kms:GenerateRandom', 'kms:Decrypt']);
});
