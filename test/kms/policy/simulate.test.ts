import t from 'tap';
import { callerOf } from '../../../kms/policy/check/mentioned.ts';
import { parseIdentityPolicy, parseKeyPolicy } from '../../../kms/policy/language/document.ts';
import { requestContext } from '../../../kms/policy/language/request-context.ts';
import { policyTextOf } from '../../../kms/policy/live-document.ts';
import { simulate } from '../../../kms/policy/simulate.ts';
import { ALLOWS, allow, DENIES, hex, type Json, printed } from './support/live.ts';
import { ACCOUNT, IMAGE, KEY_ARN, NEXT_IMAGE, OTHER_ROLE, ROLE, WISH } from './support/wishes.ts';

const policyOf = (statements: readonly Json[]) => parseKeyPolicy(JSON.stringify({ Statement: statements }));
const iam = (Effect: string, Action: string) => [
  parseIdentityPolicy(JSON.stringify({ Statement: { Effect, Action, Resource: '*' } })),
];

function ask(
  statements: readonly Json[],
  more: { principal?: string; registers?: typeof IMAGE; policies?: ReturnType<typeof iam> } = {},
) {
  const { principal = ROLE, registers, policies } = more;
  const caller = callerOf(principal);
  const action = 'kms:Decrypt';
  const context = requestContext({ caller, action, registers, encryptionContext: WISH.encryptionContext });
  return simulate({
    keyPolicy: policyOf(statements),
    identityPolicies: policies,
    request: { caller, action, keyArn: KEY_ARN, context },
  });
}

t.test('tells by which statement, and what each condition found', async (t) => {
  const allowed = ask(printed(), { registers: IMAGE });
  t.match(allowed, { decision: 'allow', by: [/"OnlyTheMeasuredEnclave"/] });
  const denied = ask(printed(), { registers: NEXT_IMAGE });
  t.match(denied, { decision: 'explicit-deny', by: [/"NobodyWithAnotherImage"/, /"NobodyWithAnotherPCR16"/] });
  const [first] = denied.statements.filter(({ statement }) => statement.includes('OnlyTheMeasuredEnclave'));
  t.match(first, {
    applies: 'no',
    conditions: [{ condition: /ImageSha384/, found: [hex('c0')], holds: 'no' }, { holds: 'yes' }, {}, {}, {}],
  });
  t.match(ask(printed()).statements.at(-1), { applies: 'yes', conditions: [{ found: null, holds: 'yes' }] });
});

t.test('unites key policy and IAM policies as KMS does', async (t) => {
  const account = [allow({ Principal: { AWS: ACCOUNT }, Action: 'kms:*' })];
  t.equal(ask(account).decision, 'undecided', 'what is left to IAM policies that nobody showed');
  t.equal(ask(account, { policies: iam('Allow', 'kms:*') }).decision, 'allow');
  t.equal(ask(account, { policies: iam('Allow', 'kms:Encrypt') }).decision, 'implicit-deny');
  t.equal(ask([allow()], { policies: iam('Deny', 'kms:Dec*') }).decision, 'explicit-deny', 'a Deny of either wins');
  t.equal(ask([allow()], { policies: iam('Allow', 's3:*') }).decision, 'allow', 'the key policy alone is enough');
});

t.test('leaves GenerateRandom, which concerns no key, to IAM policies', async (t) => {
  const caller = callerOf(ROLE);
  const action = 'kms:GenerateRandom';
  const request = { caller, action, keyArn: KEY_ARN, context: requestContext({ caller, action }) };
  const keyPolicy = policyOf([allow({ Action: 'kms:*' })]);
  const decide = (identityPolicies?: ReturnType<typeof iam>) =>
    simulate({ keyPolicy, identityPolicies, request }).decision;
  t.equal(decide(), 'undecided');
  t.equal(decide(iam('Allow', 'kms:GenerateRandom')), 'allow');
  t.equal(decide(iam('Allow', 'kms:Decrypt')), 'implicit-deny');
});

t.test('wants both to allow what is asked from another account', async (t) => {
  const foreigner = 'arn:aws:iam::444455556666:role/x';
  const statements = [allow({ Principal: { AWS: foreigner } })];
  t.equal(ask(statements, { principal: foreigner }).decision, 'undecided');
  t.equal(ask(statements, { principal: foreigner, policies: iam('Allow', 'kms:Decrypt') }).decision, 'allow');
  t.equal(ask(statements, { principal: foreigner, policies: iam('Allow', 's3:*') }).decision, 'implicit-deny');
  t.equal(ask(statements, { principal: OTHER_ROLE, policies: iam('Allow', 'kms:*') }).decision, 'implicit-deny');
});

t.test('takes a policy out of what AWS’s commands print', async (t) => {
  const document = JSON.stringify({ Statement: [...ALLOWS, ...DENIES] });
  for (const text of [
    document,
    JSON.stringify({ Policy: document, PolicyName: 'default' }),
    JSON.stringify({ RoleName: 'r', PolicyDocument: JSON.parse(document) }),
    JSON.stringify({ PolicyVersion: { Document: JSON.parse(document) } }),
  ]) {
    t.same(parseKeyPolicy(policyTextOf(text)), policyOf([...ALLOWS, ...DENIES]));
  }
  t.throws(() => policyTextOf('{'), { code: 'KMS_POLICY_SYNTAX' });
  t.throws(() => policyTextOf('{"Policy":"{}","Policy":"{}"}'), { code: 'KMS_POLICY_SYNTAX' });
  const beside = JSON.stringify({ Statement: [allow()], Policy: document });
  t.throws(() => parseKeyPolicy(policyTextOf(beside)), { code: 'KMS_POLICY_SYNTAX' }, 'one document beside another');
  t.throws(() => parseKeyPolicy(policyTextOf('{"Policy":7}')), { code: 'KMS_POLICY_SYNTAX' });
});

t.test('knows the role of a session whatever its path is, and not the path', async (t) => {
  const session = 'arn:aws:sts::111122223333:assumed-role/acra-enclave/i-0';
  const inPath = ROLE.replace('role/', 'role/databases/');
  const decision = (...statements: Json[]) => ask(statements, { principal: session }).decision;
  const denied = { ...allow({ Principal: { AWS: inPath } }), Effect: 'Deny' };
  t.equal(decision(allow({ Principal: '*' }), denied), 'explicit-deny');
  t.equal(decision(allow({ Principal: { AWS: inPath } })), 'allow');
  t.equal(decision(allow({ Principal: { AWS: OTHER_ROLE } })), 'implicit-deny');
  t.equal(decision(allow({ Principal: { AWS: inPath.replace('1111', '4444') } })), 'implicit-deny');
  const onArn = (operator: string) => ({ Condition: { [operator]: { 'aws:PrincipalArn': ROLE } } });
  t.equal(decision(allow({ Principal: '*', ...onArn('ArnEquals') })), 'undecided');
  t.equal(decision(allow({ Principal: '*', ...onArn('ArnNotEquals') })), 'undecided');
  const whole = ask([allow({ Principal: '*', ...onArn('ArnEquals') })], { principal: ROLE });
  t.equal(whole.decision, 'allow', 'the role itself is named in full');
});
