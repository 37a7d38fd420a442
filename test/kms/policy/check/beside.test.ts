/** What stands beside a key policy: grants, and IAM policies of the role. */
import t from 'tap';
import { parseGrants } from '../../../../kms/policy/check/grants.ts';
import { KmsPolicyError } from '../../../../kms/policy/errors.ts';
import { makeRolePolicy } from '../../../../kms/policy/key-policy.ts';
import { parseIdentityPolicy } from '../../../../kms/policy/language/document.ts';
import { ALLOWS, codesIn, DEMANDED, DENIES, demanding, findingsIn, hex, IMAGE_KEY } from '../support/live.ts';
import { NEXT_IMAGE, OTHER_ROLE, ROLE, WISH, WISHES } from '../support/wishes.ts';

const grants = (...Operations: string[]) =>
  parseGrants(
    JSON.stringify({ Grants: [{ GrantId: 'f'.repeat(64), GranteePrincipal: OTHER_ROLE, KeyId: 'x', Operations }] }),
  );

t.test('finds grants, and whether the Denies stop them', async (t) => {
  t.same(codesIn([...ALLOWS, ...DENIES], { grants: grants('Decrypt', 'DescribeKey') }), ['GRANT_DENIED']);
  t.ok(codesIn(ALLOWS, { grants: grants('Decrypt') }).includes('GRANT_LIVE'));
  t.ok(codesIn([...ALLOWS, ...DENIES], { grants: grants('Encrypt') }).includes('GRANT_LIVE'), 'sealing is not denied');
  t.same(codesIn([...ALLOWS, ...DENIES], { grants: grants('DescribeKey') }), [], 'a harmless one');
  t.same(codesIn([...ALLOWS, ...DENIES], { grants: parseGrants('{"Grants":[]}') }), []);
});

t.test('rejects what is no list of grants (KMS_POLICY_SYNTAX)', async (t) => {
  const goesOn = ['"Truncated":true', '"NextMarker":"m"', '"NextToken":"t"'].map((more) => `{"Grants":[],${more}}`);
  for (const text of ['{', '[]', '{"Grants":[{"GrantId":1}]}', ...goesOn]) {
    t.throws(() => parseGrants(text), { constructor: KmsPolicyError, code: 'KMS_POLICY_SYNTAX' }, text);
  }
});

const role = (...statements: readonly object[]) => [
  parseIdentityPolicy(JSON.stringify({ Version: '2012-10-17', Statement: statements })),
];
const random = { Effect: 'Allow', Action: 'kms:GenerateRandom', Resource: '*' };

t.test('finds IAM policies of the role that allow too little or too much', async (t) => {
  const statements = [...ALLOWS, ...DENIES];
  t.same(codesIn(statements, { rolePolicies: [parseIdentityPolicy(JSON.stringify(makeRolePolicy(WISH)))] }), []);
  t.same(codesIn(statements, { rolePolicies: role({ ...random, Action: 's3:*' }) }), ['IAM_RANDOM_MISSING']);
  t.same(codesIn(statements, { rolePolicies: role({ ...random, Action: 'kms:*' }) }), ['IAM_TOO_WIDE']);
  t.same(codesIn(statements, { rolePolicies: role(random, { ...random, Action: 'kms:CreateGrant' }) }), [
    'IAM_TOO_WIDE',
  ]);
  const attested = { ...random, Condition: { StringEquals: { 'kms:RecipientAttestation:PCR3': 'a3'.repeat(48) } } };
  t.same(codesIn(statements, { rolePolicies: role(attested) }), [], 'randomness for attested enclaves only');
});

t.test('wants the role to be allowed a key of another account, which both sides must allow', async (t) => {
  const keyArn = 'arn:aws:kms:eu-central-1:444455556666:key/0f0f0f0f-0000-4000-8000-000000000000';
  const { Statement } = makeRolePolicy({ roleArn: ROLE, keysBornInEnclave: true }, keyArn);
  t.match(Statement[1], { Action: ['kms:Decrypt', 'kms:GenerateDataKey'], Resource: keyArn });
});

t.test('finds an old image, and one that is let in mixed with the new', async (t) => {
  const wish = WISHES['two images during a roll-over'] ?? WISH;
  t.same(codesIn([...ALLOWS, ...DENIES], { wish }), ['POLICY_ENCLAVE_REFUSED'], 'the next one is not there yet');
  const both = { StringEqualsIgnoreCase: {} as Record<string, unknown>, StringEquals: {} };
  for (const [index, value] of NEXT_IMAGE) {
    const own = WISH.measurements[0]?.get(index)?.toString('hex');
    both.StringEqualsIgnoreCase[`kms:RecipientAttestation:PCR${index}`] = [own, value.toString('hex')];
  }
  const lumped = ALLOWS.map((each) => (each['Sid'] === 'OnlyTheMeasuredEnclave' ? { ...each, Condition: both } : each));
  t.ok(findingsIn(lumped, { wish }).some(({ code, found }) => code === 'POLICY_MIXED' && found.includes('PCR16')));
});

t.test(
  'finds a register that nobody named, an administrator who is refused, and more values than can be tried',
  async (t) => {
    const registers = { ...DEMANDED.StringEqualsIgnoreCase, 'kms:RecipientAttestation:PCR8': hex('a8') };
    const withMore = (values: object) =>
      ALLOWS.map((each) =>
        each['Sid'] === 'OnlyTheMeasuredEnclave' ? { ...each, ...demanding({ ...registers, ...values }) } : each,
      );
    t.same(codesIn([...withMore({}), ...DENIES]), ['POLICY_REGISTER_EXTRA']);
    const many = Array.from({ length: 80 }, (_, nth) => hex((nth + 16).toString(16)));
    const lists = { [IMAGE_KEY]: many, 'kms:RecipientAttestation:PCR16': many };
    t.ok(codesIn([...withMore(lists), ...DENIES]).includes('POLICY_TOO_MANY_VALUES'));
    t.ok(codesIn(withMore(lists)).includes('POLICY_UNKNOWN_IMAGE'), 'and one at a time is tried');
    const wish = { ...WISH, administrators: [...WISH.administrators, OTHER_ROLE] };
    t.same(codesIn([...ALLOWS, ...DENIES], { wish }), ['POLICY_ADMINISTRATOR_REFUSED']);
  },
);
