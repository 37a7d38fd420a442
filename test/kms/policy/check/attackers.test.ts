/** What people write into policies, by mistake or not, beside or in the place of the statement that demands attestation. */
import t from 'tap';
import {
  ALLOWS,
  allow,
  codesIn,
  DEMANDED,
  DENIES,
  demanding,
  deny,
  findingsIn,
  hex,
  IMAGE_KEY,
  type Json,
  printed,
} from '../support/live.ts';
import { ACCOUNT, ADMINISTRATOR, KEY_ARN, OTHER_ROLE, ROLE } from '../support/wishes.ts';

const PCR3 = 'kms:RecipientAttestation:PCR3';
const PCR16 = 'kms:RecipientAttestation:PCR16';
const registers = DEMANDED.StringEqualsIgnoreCase;
const when = (Condition: unknown) => ({ Condition });

/** Beside the printed Allows, without the Denies that would stop them. */
const BESIDE: readonly (readonly [string, Json, string])[] = [
  ['no condition', allow(), 'POLICY_BYPASS'],
  ['everybody', allow({ Principal: '*' }), 'POLICY_BYPASS'],
  [
    'everybody, with NotAction',
    allow({ Principal: '*', Action: undefined, NotAction: 'kms:Encrypt' }),
    'POLICY_BYPASS',
  ],
  ['NotPrincipal', allow({ Principal: undefined, NotPrincipal: { AWS: OTHER_ROLE } }), 'POLICY_BYPASS'],
  ['the account', allow({ Principal: { AWS: ACCOUNT }, Action: 'kms:*' }), 'POLICY_BYPASS'],
  ['the account by its number', allow({ Principal: { AWS: '111122223333' } }), 'POLICY_BYPASS'],
  ['another account', allow({ Principal: { AWS: 'arn:aws:iam::444455556666:root' } }), 'POLICY_BYPASS'],
  [
    'a session of the role',
    allow({ Principal: { AWS: 'arn:aws:sts::111122223333:assumed-role/acra-enclave/i-0' } }),
    'POLICY_BYPASS',
  ],
  ['the administrator', allow({ Principal: { AWS: ADMINISTRATOR } }), 'POLICY_BYPASS'],
  ['a service', allow({ Principal: { Service: 's3.amazonaws.com' } }), 'POLICY_BYPASS'],
  ['a wildcard in the action', allow({ Action: 'kms:De*' }), 'POLICY_BYPASS'],
  ['a question mark in the action', allow({ Action: 'kms:Decryp?' }), 'POLICY_BYPASS'],
  ['another case of the action', allow({ Action: 'KMS:DECRYPT' }), 'POLICY_BYPASS'],
  ['all actions of all services', allow({ Action: '*' }), 'POLICY_BYPASS'],
  ['data keys', allow({ Action: 'kms:GenerateDataKey*' }), 'POLICY_BYPASS'],
  ['NotResource', allow({ Resource: undefined, NotResource: 'arn:aws:kms:*:*:key/another' }), 'POLICY_BYPASS'],
  ['a wildcard as resource', allow({ Resource: 'arn:aws:kms:*' }), 'POLICY_BYPASS'],
  ['IfExists', allow(when({ StringEqualsIgnoreCaseIfExists: registers })), 'POLICY_BYPASS'],
  ['ForAllValues', allow(when({ 'ForAllValues:StringEqualsIgnoreCase': registers })), 'POLICY_BYPASS'],
  ['Null true', allow(when({ Null: { [IMAGE_KEY]: 'true' } })), 'POLICY_BYPASS'],
  ['a negated operator', allow(when({ StringNotEquals: { [IMAGE_KEY]: hex('00') } })), 'POLICY_BYPASS'],
  ['a condition that is not known', allow(when({ IpAddress: { 'aws:SourceIp': '10.0.0.0/8' } })), 'POLICY_BYPASS'],
  [
    'a condition on the way',
    allow(when({ StringEquals: { 'kms:ViaService': 's3.eu-central-1.amazonaws.com' } })),
    'POLICY_BYPASS',
  ],
  [
    'everybody whose name fits',
    allow({ Principal: '*', ...when({ ArnLike: { 'aws:PrincipalArn': 'arn:aws:iam::*:role/adm*' } }) }),
    'POLICY_BYPASS',
  ],
  [
    'everybody, by an ARN with fewer than six parts',
    allow({ Principal: '*', ...when({ ArnLike: { 'aws:PrincipalArn': '*' } }) }),
    'POLICY_BYPASS',
  ],
  ['the context alone', allow(when({ StringEquals: DEMANDED.StringEquals })), 'POLICY_BYPASS'],
  ['only that there is a document', allow(when({ Null: { [IMAGE_KEY]: 'false' } })), 'POLICY_REGISTER_BROAD'],
  ['StringLike', allow(when({ StringLike: { ...registers, [IMAGE_KEY]: 'a0*' } })), 'POLICY_UNKNOWN_IMAGE'],
  [
    'StringLike of everything',
    allow(when({ StringLike: { ...registers, [IMAGE_KEY]: '*' } })),
    'POLICY_REGISTER_BROAD',
  ],
  [
    'an old image in the list',
    allow(demanding({ ...registers, [IMAGE_KEY]: [hex('a0'), hex('0d')] })),
    'POLICY_UNKNOWN_IMAGE',
  ],
  ['an image in upper case', allow(demanding({ ...registers, [IMAGE_KEY]: hex('0D') })), 'POLICY_UNKNOWN_IMAGE'],
  ['debug mode', allow(demanding({ ...registers, [IMAGE_KEY]: hex('00') })), 'POLICY_DEBUG'],
  ['no image', allow(demanding({ [PCR3]: hex('a3'), [PCR16]: hex('b6') })), 'POLICY_REGISTER_MISSING'],
  ['no parent', allow(demanding({ [IMAGE_KEY]: hex('a0'), [PCR16]: hex('b6') })), 'POLICY_NO_DEPLOYMENT'],
  ['no runtime', allow(demanding({ [IMAGE_KEY]: hex('a0'), [PCR3]: hex('a3') })), 'POLICY_RUNTIME'],
  ['no context', allow(when({ StringEqualsIgnoreCase: registers })), 'POLICY_CONTEXT'],
  ['another role', allow({ Principal: { AWS: OTHER_ROLE }, ...when(DEMANDED) }), 'POLICY_OTHER_PRINCIPAL'],
  ['the account, attested', allow({ Principal: { AWS: ACCOUNT }, ...when(DEMANDED) }), 'POLICY_OTHER_PRINCIPAL'],
  [
    'a NitroTPM',
    allow(when({ StringEquals: { 'kms:RecipientAttestation:NitroTPMPCR4': hex('a0') } })),
    'POLICY_NITRO_TPM',
  ],
  ['data keys, attested', allow({ Action: 'kms:GenerateDataKey', ...when(DEMANDED) }), 'POLICY_ACTION_EXTRA'],
  ['re-encryption', allow({ Action: 'kms:ReEncryptFrom' }), 'POLICY_REENCRYPT'],
  ['re-encryption in both directions', allow({ Action: 'kms:ReEncrypt*' }), 'POLICY_SEALING'],
  ['encryption by the role', allow({ Action: 'kms:Encrypt' }), 'POLICY_SEALING'],
  ['data keys without plaintext', allow({ Action: 'kms:GenerateDataKeyWithoutPlaintext' }), 'POLICY_SEALING'],
  ['encryption in any context', allow({ Principal: { AWS: ADMINISTRATOR }, Action: 'kms:Encrypt' }), 'POLICY_CONTEXT'],
  ['grants', allow({ Action: 'kms:CreateGrant' }), 'POLICY_GRANT_POSSIBLE'],
  [
    'grants for services',
    allow({ Action: 'kms:CreateGrant', ...when({ Bool: { 'kms:GrantIsForAWSResource': 'true' } }) }),
    'POLICY_GRANT_POSSIBLE',
  ],
  ['the policy', allow({ Principal: { AWS: ADMINISTRATOR }, Action: 'kms:Put*' }), 'POLICY_RULED_BY_OTHERS'],
  ['replicas', allow({ Principal: { AWS: ADMINISTRATOR }, Action: 'kms:ReplicateKey' }), 'POLICY_RULED_BY_OTHERS'],
  [
    'key material',
    allow({ Principal: { AWS: ADMINISTRATOR }, Action: 'kms:ImportKeyMaterial' }),
    'POLICY_RULED_BY_OTHERS',
  ],
  [
    'deletion',
    allow({ Principal: { AWS: OTHER_ROLE }, Action: 'kms:ScheduleKeyDeletion' }),
    'POLICY_ADMINISTERED_BY_OTHERS',
  ],
  [
    'somebody who deletes imported material',
    allow({ Principal: { AWS: OTHER_ROLE }, Action: 'kms:DeleteImportedKeyMaterial' }),
    'POLICY_ADMINISTERED_BY_OTHERS',
  ],
];

t.test('does not pass a policy of another key than the one that is named (POLICY_UNJUDGED)', async (t) => {
  const another = KEY_ARN.replace('0f0f', 'abcd');
  for (const Resource of [another, 'arn:aws:kms:eu-central-1:111122223333:alias/master'])
    t.same(codesIn([...printed(), allow({ Resource })]), ['POLICY_UNJUDGED'], Resource);
  t.match(codesIn([...printed(), allow({ Resource: KEY_ARN })], { keyArn: another }), ['POLICY_UNJUDGED']);
});

t.test('finds what lets in others beside the enclave', async (t) => {
  for (const [name, statement, code] of BESIDE) {
    const codes = codesIn([...ALLOWS, statement]);
    t.ok(codes.includes(code), `${name}: ${codes.join()}`);
  }
});

t.test('keeps silent about what the Denies stop, but for what they do not', async (t) => {
  for (const [name, statement] of BESIDE.filter(([, , code]) => code === 'POLICY_BYPASS')) {
    const codes = codesIn([...ALLOWS, statement, ...DENIES]);
    t.notOk(codes.includes('POLICY_BYPASS'), `${name}: ${codes.join()}`);
  }
});

t.test('finds a Deny that does not deny, because its condition does not hold without a document', async (t) => {
  const wrong: Readonly<Record<string, Json>> = {
    'the zeros of debug mode alone': deny(when({ StringEquals: { [IMAGE_KEY]: hex('00') } })),
    'IfExists that holds, and names the image': deny(when({ StringNotEqualsIfExists: { 'aws:SourceVpce': 'vpce-1' } })),
    'ForAnyValue, negated': deny(when({ 'ForAnyValue:StringNotEquals': { [IMAGE_KEY]: hex('a0') } })),
    'two registers at once': deny(when({ StringNotEquals: { [IMAGE_KEY]: hex('a0'), 'aws:SourceVpce': 'vpce-1' } })),
    'another principal': deny({ Principal: { AWS: OTHER_ROLE } }),
    'NotPrincipal that means the role': deny({
      Principal: undefined,
      NotPrincipal: { AWS: ROLE },
    }),
    'another action': deny({ Action: 'kms:Decrypt2' }),
    NotAction: deny({ Action: undefined, NotAction: 'kms:*' }),
  };
  for (const [name, statement] of Object.entries(wrong)) {
    const codes = codesIn([...ALLOWS, allow(), statement]);
    t.ok(codes.includes('POLICY_BYPASS'), `${name}: ${codes.join()}`);
  }
});

t.test('tells the default policies that consoles and tools make, as they are', async (t) => {
  const root = {
    Sid: 'Enable IAM User Permissions',
    Effect: 'Allow',
    Principal: { AWS: ACCOUNT },
    Action: 'kms:*',
    Resource: '*',
  };
  const services = allow({
    Principal: { AWS: OTHER_ROLE },
    Action: ['kms:CreateGrant', 'kms:ListGrants', 'kms:RevokeGrant'],
    Condition: { Bool: { 'kms:GrantIsForAWSResource': true } },
  });
  const users = allow({
    Principal: { AWS: OTHER_ROLE },
    Action: ['kms:Encrypt', 'kms:Decrypt', 'kms:ReEncrypt*', 'kms:GenerateDataKey*', 'kms:DescribeKey'],
  });
  const defaults: Readonly<Record<string, readonly Json[]>> = { root: [root], console: [root, users, services] };
  for (const [name, statements] of Object.entries(defaults)) {
    const codes = codesIn(statements);
    for (const code of [
      'POLICY_NOT_ENFORCED',
      'POLICY_SEALING',
      'POLICY_GRANT_POSSIBLE',
      'POLICY_RULED_BY_OTHERS',
      'POLICY_ENCLAVE_REFUSED',
      'POLICY_DENY_MISSING',
    ])
      t.ok(codes.includes(code), `${name}: ${code}`);
  }
  const attested = allow({ Condition: { StringEqualsIgnoreCase: { [IMAGE_KEY]: hex('a0') } } });
  const terraform = codesIn([root, attested]);
  t.ok(terraform.includes('POLICY_BYPASS'), 'root beside an enclave');
  const notDecrypt = codesIn([{ ...root, Action: undefined, NotAction: 'kms:Decrypt' }, attested]);
  t.ok(notDecrypt.includes('POLICY_BYPASS'), 'NotAction kms:Decrypt leaves data keys');
  t.ok(notDecrypt.includes('POLICY_REENCRYPT'), 'and re-encryption');
});

t.test('tells the statement by number and Sid, and why it lets in', async (t) => {
  const nameless = allow({ Sid: undefined, Principal: '*' });
  const loose = allow({ Condition: { StringEqualsIfExists: { [IMAGE_KEY]: hex('a0') } } });
  const found = findingsIn([...ALLOWS, nameless, loose]).filter(({ code }) => code === 'POLICY_BYPASS');
  const count = ALLOWS.length;
  t.match(found, [
    { severity: 'error', statement: `statement ${count + 1}`, found: /no condition on kms:RecipientAttestation/ },
    { statement: `statement ${count + 2} "Tried"`, found: /StringEqualsIfExists .* holds when there is no document/ },
  ]);
});

t.test('finds what never matches, and what cannot be judged', async (t) => {
  const odd: Readonly<Record<string, readonly [Json, string]>> = {
    'a short value': [demanding({ ...registers, [IMAGE_KEY]: [hex('a0'), 'a0'] }), 'POLICY_VALUE_MALFORMED'],
    'an unknown register': [
      demanding({ ...registers, 'kms:RecipientAttestation:PCR32': hex('a0') }),
      'POLICY_UNJUDGED',
    ],
    'a network': [when({ ...DEMANDED, IpAddress: { 'aws:SourceIp': '10.0.0.0/8' } }), 'POLICY_UNJUDGED'],
    'an organization': [when({ ...DEMANDED, ArnLike: { 'aws:PrincipalOrgID': 'o-1' } }), 'POLICY_UNJUDGED'],
    'a NitroTPM beside': [
      demanding({ ...registers, 'kms:RecipientAttestation:NitroTPMPCR7': hex('a0') }),
      'POLICY_NITRO_TPM_KEY',
    ],
    'one who was deleted': [{ Principal: { AWS: 'AROAEXAMPLEEXAMPLE123' } }, 'POLICY_UNJUDGED'],
  };
  for (const [name, [more, code]] of Object.entries(odd)) {
    const codes = codesIn([...ALLOWS, ...DENIES, allow(more)]);
    t.same(codes, [code], name);
  }
  const named = [...ALLOWS, ...DENIES, allow({ Resource: KEY_ARN, Condition: DEMANDED })];
  t.same(codesIn(named), [], 'the key by its ARN');
  t.same(codesIn(named, { keyArn: undefined }), ['POLICY_UNJUDGED'], 'the key by its ARN, which nobody told');
});
