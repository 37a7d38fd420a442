import t from 'tap';
import { ACCOUNT_ROOT_ARN, roleArn } from '../../../../emulator/principal.ts';
import { matchesWildcard } from '../../../../kms/policy/language/wildcard.ts';
import { ADMIN, allow, type Case, decide, deny, KEY_ARN, ROLE } from '../support/decisions.ts';

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
  { name: 'NotAction', statements: [allow({ Action: undefined, NotAction: 'kms:Encrypt' })], decision: 'allow' },
  {
    name: 'NotAction that names it in another case',
    statements: [allow({ Action: undefined, NotAction: ['kms:DE*'] })],
    decision: 'implicit-deny',
  },
  {
    name: 'NotPrincipal that names others',
    statements: [allow({ Principal: undefined, NotPrincipal: { AWS: roleArn('other') } })],
    decision: 'allow',
  },
  {
    name: 'NotPrincipal that names the role and not its session',
    statements: [allow(), deny({ Principal: undefined, NotPrincipal: { AWS: roleArn('enclave') } })],
    decision: 'undecided',
  },
  {
    name: 'NotResource',
    statements: [allow({ Resource: undefined, NotResource: KEY_ARN })],
    decision: 'implicit-deny',
  },
  {
    name: 'a service',
    statements: [allow({ Principal: { Service: 'ec2.amazonaws.com' } })],
    decision: 'implicit-deny',
  },
  {
    name: 'one who was deleted',
    statements: [allow({ Principal: { AWS: 'AROAEXAMPLEEXAMPLE123' } })],
    decision: 'implicit-deny',
  },
];

t.test('finds out whom a statement means, and what for', async (t) => decide(t, CASES));

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
