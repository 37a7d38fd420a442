/** What goes on to KMS, and what is refused before anything is signed: each rule of kmsProxy. */
import t from 'tap';
import type { KmsProxyErrorCode } from '../../../supervisor/kms-proxy/errors.ts';
import { KmsProxyError } from '../../../supervisor/kms-proxy/errors.ts';
import { readMembers } from '../../../supervisor/kms-proxy/members.ts';
import { Rules } from '../../../supervisor/kms-proxy/rules.ts';
import { throwsCode } from '../../support/coded-error.ts';
import { sectionOf } from './support/proxy-fixture.ts';

const [A, B] = ['eu-central-1', 'eu-west-1'];
const arn = (region: string, id: string) => `arn:aws:kms:${region}:111122223333:key/${id}`;
const [ONE, TWO, FAR] = [arn(A, 'one-1'), arn(A, 'two-2'), arn(B, 'one-1')];
const OPENED = [
  { key: ONE, actions: ['Decrypt', 'Encrypt', 'ReEncrypt', 'Sign'] },
  { key: TWO, actions: ['GenerateDataKey', 'ReEncrypt'] },
  { key: FAR, actions: ['Decrypt'] },
];
const REGIONS = [{ region: A }, { region: B, route: 'kms2' }];

const rules = (allow: object[] = OPENED, random = false) => new Rules(sectionOf({ regions: REGIONS, allow, random }));

t.test('sends the ARN for an ARN and for the ID that means one key of the region', (t) => {
  for (const KeyId of [ONE, 'one-1'])
    t.strictSame(rules().judge('Encrypt', A, { KeyId, Plaintext: 'eA==' }), {
      members: { KeyId: ONE, Plaintext: 'eA==' },
      keyArn: ONE,
    });
  t.equal(rules().judge('Decrypt', B, { KeyId: 'one-1' }).keyArn, FAR);
  t.end();
});

t.test('names the key of a Decrypt that names none, where one key of the region allows it', (t) => {
  t.strictSame(rules().judge('Decrypt', A, { CiphertextBlob: 'eA==' }), {
    members: { CiphertextBlob: 'eA==', KeyId: ONE },
    keyArn: ONE,
  });
  t.equal(rules().judge('Decrypt', B, {}).keyArn, FAR);
  t.end();
});

t.test('demands both keys of ReEncrypt, and expects the answer of the second', (t) => {
  const named = { SourceKeyId: 'one-1', DestinationKeyId: TWO };
  t.strictSame(rules().judge('ReEncrypt', A, named), {
    members: { SourceKeyId: ONE, DestinationKeyId: TWO },
    keyArn: TWO,
  });
  const refused = (members: object, code: KmsProxyErrorCode) =>
    throwsCode(() => rules().judge('ReEncrypt', A, { ...members }), KmsProxyError, code);
  refused({ DestinationKeyId: TWO }, 'KMS_PROXY_KEY_UNNAMED');
  refused({ SourceKeyId: ONE }, 'KMS_PROXY_KEY_UNNAMED');
  refused({ SourceKeyId: ONE, DestinationKeyId: arn(A, 'three') }, 'KMS_PROXY_KEY');
  refused({ SourceKeyId: arn(A, 'three'), DestinationKeyId: TWO }, 'KMS_PROXY_KEY');
  t.end();
});

t.test('passes grant tokens and dry runs on', (t) => {
  const members = { KeyId: ONE, GrantTokens: ['token'], DryRun: true };
  t.strictSame(rules().judge('Sign', A, members).members, members);
  t.end();
});

t.test('takes GenerateRandom where enclave.yaml says so, with no key', (t) => {
  t.strictSame(rules(OPENED, true).judge('GenerateRandom', B, { NumberOfBytes: 8 }), {
    members: { NumberOfBytes: 8 },
    keyArn: undefined,
  });
  throwsCode(() => rules().judge('GenerateRandom', A, {}), KmsProxyError, 'KMS_PROXY_ACTION');
  t.end();
});

const REFUSED: readonly [what: string, action: string, region: string, members: object, code: KmsProxyErrorCode][] = [
  ['an action that no key has', 'Verify', A, { KeyId: ONE }, 'KMS_PROXY_ACTION'],
  ['an action that keys of another region have', 'Encrypt', B, { KeyId: ONE }, 'KMS_PROXY_ACTION'],
  ['a key that has other actions', 'Encrypt', A, { KeyId: TWO }, 'KMS_PROXY_KEY'],
  ['a key of another region', 'Decrypt', B, { KeyId: ONE }, 'KMS_PROXY_KEY'],
  ['a key that is not listed', 'Encrypt', A, { KeyId: arn(A, 'one-12') }, 'KMS_PROXY_KEY'],
  [
    'the same ID in another account',
    'Encrypt',
    A,
    { KeyId: ONE.replace('111122223333', '444455556666') },
    'KMS_PROXY_KEY',
  ],
  ['an ARN with other letters', 'Encrypt', A, { KeyId: ONE.toUpperCase() }, 'KMS_PROXY_KEY'],
  ['an ARN with a space', 'Encrypt', A, { KeyId: `${ONE} ` }, 'KMS_PROXY_KEY'],
  ['an alias', 'Encrypt', A, { KeyId: 'alias/one' }, 'KMS_PROXY_ALIAS'],
  ['the ARN of an alias', 'Decrypt', A, { KeyId: `arn:aws:kms:${A}:111122223333:alias/one` }, 'KMS_PROXY_ALIAS'],
  ['no key', 'Encrypt', A, {}, 'KMS_PROXY_KEY_UNNAMED'],
  ['an empty name', 'Encrypt', A, { KeyId: '' }, 'KMS_PROXY_KEY_UNNAMED'],
];
for (const [what, action, region, members, code] of REFUSED) {
  t.test(`rejects ${what} (${code})`, (t) => {
    const error = throwsCode(() => rules().judge(action, region, { ...members }), KmsProxyError, code);
    t.ok(error);
    t.end();
  });
}

t.test('rejects a Decrypt without a key where several could be meant (KMS_PROXY_KEY_UNNAMED)', (t) => {
  const several = rules([
    { key: ONE, actions: ['Decrypt'] },
    { key: TWO, actions: ['Decrypt'] },
  ]);
  throwsCode(() => several.judge('Decrypt', A, { CiphertextBlob: 'eA==' }), KmsProxyError, 'KMS_PROXY_KEY_UNNAMED');
  t.equal(several.judge('Decrypt', A, { KeyId: TWO }).keyArn, TWO);
  t.end();
});

t.test('rejects an ID that two accounts have in the region (KMS_PROXY_KEY)', (t) => {
  const twin = ONE.replace('111122223333', '444455556666');
  const several = rules([
    { key: ONE, actions: ['Encrypt'] },
    { key: twin, actions: ['Encrypt'] },
  ]);
  throwsCode(() => several.judge('Encrypt', A, { KeyId: 'one-1' }), KmsProxyError, 'KMS_PROXY_KEY');
  t.equal(several.judge('Encrypt', A, { KeyId: twin }).keyArn, twin);
  t.end();
});

const BODIES: readonly [what: string, action: string, body: string, code: KmsProxyErrorCode][] = [
  ['a member twice', 'Decrypt', `{"KeyId":"${ONE}","KeyId":"${TWO}"}`, 'KMS_PROXY_REQUEST'],
  ['a member twice by escapes', 'Decrypt', `{"KeyId":"${ONE}","\\u004beyId":"${TWO}"}`, 'KMS_PROXY_REQUEST'],
  ['a name of the context twice', 'Decrypt', '{"EncryptionContext":{"a":"b","a":"c"}}', 'KMS_PROXY_REQUEST'],
  ['a member in other letters', 'Decrypt', `{"keyid":"${TWO}"}`, 'KMS_PROXY_REQUEST'],
  ['a member of another action', 'Decrypt', '{"NumberOfBytes":1}', 'KMS_PROXY_REQUEST'],
  ['a store of other keys', 'GenerateRandom', '{"CustomKeyStoreId":"cks-1"}', 'KMS_PROXY_REQUEST'],
  ['a list', 'Decrypt', '[]', 'KMS_PROXY_REQUEST'],
  ['nothing', 'Decrypt', '', 'KMS_PROXY_REQUEST'],
  ['null', 'Decrypt', 'null', 'KMS_PROXY_REQUEST'],
  ['two objects', 'Decrypt', '{}{}', 'KMS_PROXY_REQUEST'],
  ['bytes that are no UTF-8', 'Decrypt', '{"KeyId":"\ud800"}', 'KMS_PROXY_REQUEST'],
  ['deep nesting', 'Decrypt', `{"EncryptionContext":${'['.repeat(20_000)}${']'.repeat(20_000)}}`, 'KMS_PROXY_REQUEST'],
  ['a nested context', 'Decrypt', '{"EncryptionContext":{"a":{"b":"c"}}}', 'KMS_PROXY_REQUEST'],
  ['a key that is a list', 'Decrypt', `{"KeyId":["${ONE}"]}`, 'KMS_PROXY_REQUEST'],
  ['a key that is null', 'Decrypt', '{"KeyId":null}', 'KMS_PROXY_REQUEST'],
  ['a huge number', 'GenerateRandom', `{"NumberOfBytes":${'9'.repeat(400)}}`, 'KMS_PROXY_REQUEST'],
  ['a fraction', 'GenerateRandom', '{"NumberOfBytes":1.5}', 'KMS_PROXY_REQUEST'],
  ['a Recipient of its own', 'Decrypt', '{"Recipient":{"AttestationDocument":"eA=="}}', 'KMS_PROXY_RECIPIENT'],
  ['an empty Recipient', 'GenerateDataKey', '{"Recipient":null}', 'KMS_PROXY_RECIPIENT'],
  ['an action of nobody', 'Nothing', '{}', 'KMS_PROXY_ACTION'],
  ['an action that rules keys', 'ScheduleKeyDeletion', '{}', 'KMS_PROXY_ACTION'],
  ['the name of what objects inherit', 'constructor', '{}', 'KMS_PROXY_ACTION'],
  ['a member that objects inherit', 'Decrypt', '{"__proto__":{"KeyId":"x"}}', 'KMS_PROXY_REQUEST'],
];
for (const [what, action, body, code] of BODIES) {
  t.test(`rejects ${what} in a body (${code}), and quotes nothing of it`, (t) => {
    const bytes = what.includes('UTF-8') ? Buffer.from('{"KeyId":"\xff"}', 'latin1') : Buffer.from(body);
    const error = throwsCode(() => readMembers(action, bytes), KmsProxyError, code);
    t.equal(error.cause, undefined);
    t.end();
  });
}

t.test('keeps what is allowed as it came, names that objects inherit too', (t) => {
  const body =
    '{"KeyId":"x","EncryptionContext":{"__proto__":"a","toJSON":"b","":"c"},"GrantTokens":[],"DryRun":false,"CiphertextBlob":"\\u0041"}';
  const members = readMembers('Decrypt', Buffer.from(body));
  t.equal(JSON.stringify(members), body.replace('\\u0041', 'A'));
  t.end();
});
