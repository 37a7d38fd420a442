import t from 'tap';
import { parseKeyPolicy } from '../../../emulator/kms/policy/document.ts';
import type { Decision } from '../../../emulator/kms/policy/evaluate.ts';
import { evaluatePolicy } from '../../../emulator/kms/policy/evaluate.ts';
import { matchesWildcard } from '../../../emulator/kms/policy/wildcard.ts';
import { ServiceError } from '../../../emulator/kms/service-error.ts';
import { ACCOUNT_ROOT_ARN, administratorPrincipal, roleArn, rolePrincipal } from '../../../emulator/principal.ts';

const KEY_ARN = 'arn:aws:kms:eu-central-1:111122223333:key/0f0f0f0f-0000-4000-8000-000000000000';
const ROLE = rolePrincipal('enclave', 'i-0');
const ADMIN = administratorPrincipal('administrator');
const PCR0 = 'ab'.repeat(48);
const ATTESTED = {
  'kms:recipientattestation:imagesha384': PCR0,
  'kms:recipientattestation:pcr0': PCR0,
  'kms:recipientattestation:pcr8': '00'.repeat(48),
};

const MALFORMED = 'MalformedPolicyDocumentException';

/** The error type with which the policy is refused. */
function parseError(text: string): string {
  try {
    parseKeyPolicy(text);
    return 'no error';
  } catch (error) {
    if (error instanceof ServiceError) return error.type;
    throw error;
  }
}

type Json = Record<string, unknown>;

const allow = (more: Json = {}): Json => ({
  Effect: 'Allow',
  Principal: { AWS: roleArn('enclave') },
  Action: 'kms:Decrypt',
  Resource: '*',
  ...more,
});
const deny = (more: Json = {}): Json => ({ ...allow(more), Effect: 'Deny' });
const when = (operator: string, key: string, value: unknown): Json => ({ Condition: { [operator]: { [key]: value } } });
const IMAGE = 'kms:RecipientAttestation:ImageSha384';

interface Case {
  readonly name: string;
  readonly statements: readonly Json[];
  readonly context?: Record<string, string>;
  readonly principal?: typeof ROLE;
  readonly action?: string;
  readonly decision: Decision;
}

const CASES: readonly Case[] = [
  { name: 'an Allow that names role and action', statements: [allow()], decision: 'allow' },
  { name: 'no statement for the action', statements: [allow({ Action: 'kms:Encrypt' })], decision: 'implicit-deny' },
  {
    name: 'one of several actions',
    statements: [allow({ Action: ['kms:Encrypt', 'kms:decrypt'] })],
    decision: 'allow',
  },
  { name: 'all actions', statements: [allow({ Action: 'kms:*' })], decision: 'allow' },
  { name: 'a prefix of actions', statements: [allow({ Action: 'kms:De*' })], decision: 'allow' },
  { name: 'another role', statements: [allow({ Principal: { AWS: roleArn('other') } })], decision: 'implicit-deny' },
  {
    name: 'a role whose name begins alike',
    statements: [allow({ Principal: { AWS: roleArn('enc') } })],
    decision: 'implicit-deny',
  },
  { name: 'the session itself', statements: [allow({ Principal: { AWS: [ROLE.arn] } })], decision: 'allow' },
  { name: 'everybody', statements: [allow({ Principal: '*' })], decision: 'allow' },
  { name: 'everybody, the long way', statements: [allow({ Principal: { AWS: '*' } })], decision: 'allow' },
  {
    name: 'the account, to a role',
    statements: [allow({ Principal: { AWS: ACCOUNT_ROOT_ARN } })],
    decision: 'implicit-deny',
  },
  {
    name: 'the account, to the administrator',
    statements: [allow({ Principal: { AWS: '111122223333' } })],
    principal: ADMIN,
    decision: 'allow',
  },
  {
    name: 'Deny for the account, to a role',
    statements: [allow(), deny({ Principal: { AWS: ACCOUNT_ROOT_ARN } })],
    decision: 'explicit-deny',
  },
  {
    name: 'Deny beats Allow, whatever the order',
    statements: [deny(), allow({ Action: 'kms:*' })],
    decision: 'explicit-deny',
  },
  {
    name: 'another key as resource',
    statements: [allow({ Resource: `${KEY_ARN.slice(0, -1)}1` })],
    decision: 'implicit-deny',
  },
  { name: 'this key as resource', statements: [allow({ Resource: [KEY_ARN] })], decision: 'allow' },
  {
    name: 'StringEquals on the image',
    statements: [allow(when('StringEquals', IMAGE, PCR0))],
    context: ATTESTED,
    decision: 'allow',
  },
  {
    name: 'StringEquals minds case',
    statements: [allow(when('StringEquals', IMAGE, PCR0.toUpperCase()))],
    context: ATTESTED,
    decision: 'implicit-deny',
  },
  {
    name: 'StringEqualsIgnoreCase does not',
    statements: [allow(when('StringEqualsIgnoreCase', IMAGE, PCR0.toUpperCase()))],
    context: ATTESTED,
    decision: 'allow',
  },
  {
    name: 'names of condition keys have no case',
    statements: [allow(when('StringEquals', IMAGE.toUpperCase(), PCR0))],
    context: ATTESTED,
    decision: 'allow',
  },
  {
    name: 'one of several values',
    statements: [allow(when('StringEquals', IMAGE, ['00', PCR0]))],
    context: ATTESTED,
    decision: 'allow',
  },
  {
    name: 'a required key that is absent',
    statements: [allow(when('StringEquals', IMAGE, PCR0))],
    decision: 'implicit-deny',
  },
  {
    name: 'a PCR that the document lacks',
    statements: [allow(when('StringEquals', 'kms:RecipientAttestation:PCR16', '00'.repeat(48)))],
    context: ATTESTED,
    decision: 'implicit-deny',
  },
  {
    name: 'PCR8',
    statements: [allow(when('StringLike', 'kms:RecipientAttestation:PCR8', '00*'))],
    context: ATTESTED,
    decision: 'allow',
  },
  {
    name: 'StringLike that does not match',
    statements: [allow(when('StringLike', IMAGE, 'cd*'))],
    context: ATTESTED,
    decision: 'implicit-deny',
  },
  {
    name: 'two operators, one fails',
    statements: [allow({ Condition: { StringEquals: { [IMAGE]: PCR0 }, StringLike: { [IMAGE]: 'cd*' } } })],
    context: ATTESTED,
    decision: 'implicit-deny',
  },
  {
    name: 'two keys, one fails',
    statements: [allow({ Condition: { StringEquals: { [IMAGE]: PCR0, 'kms:EncryptionContext:a': 'b' } } })],
    context: ATTESTED,
    decision: 'implicit-deny',
  },
  {
    name: 'encryption context',
    statements: [allow(when('StringEquals', 'kms:EncryptionContext:a', 'b'))],
    context: { 'kms:encryptioncontext:a': 'b' },
    decision: 'allow',
  },
  {
    name: 'encryption context minds the case of values',
    statements: [allow(when('StringEquals', 'kms:EncryptionContext:a', 'B'))],
    context: { 'kms:encryptioncontext:a': 'b' },
    decision: 'implicit-deny',
  },
  {
    name: 'Deny unless it is the image, and it is',
    statements: [allow(), deny(when('StringNotEqualsIgnoreCase', IMAGE, PCR0))],
    context: ATTESTED,
    decision: 'allow',
  },
  {
    name: 'Deny unless it is the image, and it is another',
    statements: [allow(), deny(when('StringNotEquals', IMAGE, '00'))],
    context: ATTESTED,
    decision: 'explicit-deny',
  },
  {
    name: 'Deny unless it is the image, and nothing is attested',
    statements: [allow(), deny(when('StringNotEquals', IMAGE, PCR0))],
    decision: 'explicit-deny',
  },
  {
    name: 'Deny unlike a pattern',
    statements: [allow(), deny(when('StringNotLike', IMAGE, 'ab*'))],
    context: ATTESTED,
    decision: 'allow',
  },
  {
    name: 'Deny when nothing is attested',
    statements: [allow(), deny(when('Null', IMAGE, 'true'))],
    decision: 'explicit-deny',
  },
  {
    name: 'Null is false when attested',
    statements: [allow(when('Null', IMAGE, 'false'))],
    context: ATTESTED,
    decision: 'allow',
  },
];

t.test('decides as IAM does', (t) => {
  for (const { name, statements, context = {}, principal = ROLE, action = 'kms:Decrypt', decision } of CASES) {
    const policy = parseKeyPolicy(JSON.stringify({ Version: '2012-10-17', Statement: statements }));
    const request = { principal, action, keyArn: KEY_ARN, context: new Map(Object.entries(context)) };
    t.equal(evaluatePolicy(policy, request), decision, name);
  }
  t.end();
});

t.test('rejects policies with parts that it does not evaluate (MalformedPolicyDocumentException)', (t) => {
  const malformed: Record<string, unknown> = {
    'no statement': { Version: '2012-10-17' },
    'an unknown version': { Version: '2020-01-01', Statement: allow() },
    'an unknown member': { Statement: allow(), Extra: 1 },
    NotPrincipal: { Statement: { ...allow(), NotPrincipal: '*' } },
    NotAction: { Statement: allow({ NotAction: 'kms:Decrypt' }) },
    'no principal': { Statement: allow({ Principal: undefined }) },
    'a service as principal': { Statement: allow({ Principal: { Service: 'ec2.amazonaws.com' } }) },
    'a principal with a wildcard': { Statement: allow({ Principal: { AWS: 'arn:aws:iam::*:root' } }) },
    'an action of another service': { Statement: allow({ Action: 's3:GetObject' }) },
    'no resource': { Statement: allow({ Resource: undefined }) },
    'an unknown effect': { Statement: allow({ Effect: 'Maybe' }) },
    'an unknown operator': { Statement: allow(when('NumericEquals', IMAGE, '1')) },
    'a set operator': { Statement: allow(when('ForAnyValue:StringEquals', IMAGE, PCR0)) },
    'an operator with IfExists': { Statement: allow(when('StringEqualsIfExists', IMAGE, PCR0)) },
    'an inherited name as operator': { Statement: allow(when('toString', IMAGE, PCR0)) },
    'an unknown condition key': { Statement: allow(when('StringEquals', 'aws:SourceIp', '10.0.0.1')) },
    'a PCR that does not exist': { Statement: allow(when('StringEquals', 'kms:RecipientAttestation:PCR32', '00')) },
    // biome-ignore lint/suspicious/noTemplateCurlyInString: a variable of the policy language
    'a policy variable': { Statement: allow(when('StringEquals', IMAGE, '${aws:username}')) },
    'Null with another value': { Statement: allow(when('Null', IMAGE, 'yes')) },
    'a number as value': { Statement: allow(when('StringEquals', IMAGE, 1)) },
    'over 32 KiB': { Statement: allow({ Sid: 'x'.repeat(32_768) }) },
  };
  for (const [name, policy] of Object.entries(malformed)) t.equal(parseError(JSON.stringify(policy)), MALFORMED, name);
  t.equal(parseError('{'), MALFORMED, 'no JSON');
  t.end();
});

t.test('wildcards stand for any run of characters and for one', (t) => {
  const table: readonly [string, string, boolean][] = [
    ['abc', 'abc', true],
    ['abc', 'a*', true],
    ['abc', '*c', true],
    ['abc', 'a?c', true],
    ['abc', '*', true],
    ['', '*', true],
    ['abc', 'a**c', true],
    ['abcbc', 'a*bc', true],
    ['abc', 'ab', false],
    ['ab', 'abc', false],
    ['abc', '?', false],
    ['', '?', false],
    ['a.c', 'a.c', true],
    ['abc', 'a.c', false],
    ['abcd', 'a*c', false],
  ];
  for (const [text, pattern, expected] of table)
    t.equal(matchesWildcard(text, pattern), expected, `${text} ~ ${pattern}`);
  t.equal(matchesWildcard('a'.repeat(10_000), `${'*a'.repeat(200)}b`), false, 'and cannot be made to run for ever');
  t.end();
});
