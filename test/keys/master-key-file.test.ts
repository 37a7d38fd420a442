import t from 'tap';
import { KeyError } from '../../keys/errors.ts';
import { encodeMasterKeyFile, parseMasterKeyFile } from '../../keys/master-key-file.ts';
import { throwsCode } from '../support/coded-error.ts';

const UNDER = { keyArn: 'arn:aws:kms:eu-central-1:111122223333:key/a', encryptionContext: { b: '2', a: '1' } };
const ciphertext = Buffer.from('ciphertext');
const text = encodeMasterKeyFile({ ...UNDER, ciphertext });

t.test('keeps the ciphertext whole, whatever the order of the context', async (t) => {
  t.same(parseMasterKeyFile(text, { ...UNDER, encryptionContext: { a: '1', b: '2' } }), ciphertext);
});

const MULTI_REGION = 'mrk-1234abcd12ab34cd56ef1234567890ab';
const inRegion = (region: string, { account = '111122223333', id = MULTI_REGION, partition = 'aws' } = {}) =>
  `arn:${partition}:kms:${region}:${account}:key/${id}`;

t.test('keeps what a multi-Region key encrypted usable under its replica, and the other way round', async (t) => {
  const { encryptionContext } = UNDER;
  const primary = encodeMasterKeyFile({ keyArn: inRegion('eu-central-1'), encryptionContext, ciphertext });
  t.same(parseMasterKeyFile(primary, { keyArn: inRegion('us-east-1'), encryptionContext }), ciphertext);
  const replica = encodeMasterKeyFile({ keyArn: inRegion('us-east-1'), encryptionContext, ciphertext });
  t.same(parseMasterKeyFile(replica, { keyArn: inRegion('eu-central-1'), encryptionContext }), ciphertext);
});

for (const [what, keyArn] of [
  ['another multi-Region key', inRegion('us-east-1', { id: MULTI_REGION.replace('ab', 'ff') })],
  ['a multi-Region key of another account', inRegion('us-east-1', { account: '444455556666' })],
  ['a multi-Region key of another partition', inRegion('cn-north-1', { partition: 'aws-cn' })],
] as const) {
  t.test(`rejects ${what} (MASTER_KEY_OTHER_KEY)`, async () => {
    const { encryptionContext } = UNDER;
    const file = encodeMasterKeyFile({ keyArn: inRegion('eu-central-1'), encryptionContext, ciphertext });
    throwsCode(() => parseMasterKeyFile(file, { keyArn, encryptionContext }), KeyError, 'MASTER_KEY_OTHER_KEY');
  });
}

t.test('rejects a single-Region key that differs in the region only (MASTER_KEY_OTHER_KEY)', async () => {
  const elsewhere = { ...UNDER, keyArn: UNDER.keyArn.replace('eu-central-1', 'us-east-1') };
  throwsCode(() => parseMasterKeyFile(text, elsewhere), KeyError, 'MASTER_KEY_OTHER_KEY');
});

const edited = (change: object) => JSON.stringify({ ...JSON.parse(text), ...change });

const REFUSED: readonly (readonly [string, string, KeyError['code'], typeof UNDER])[] = [
  ['another form', '{}', 'MASTER_KEY_FILE_INVALID', UNDER],
  ['what is no JSON', 'x', 'MASTER_KEY_FILE_INVALID', UNDER],
  ['an unknown key', edited({ extra: 1 }), 'MASTER_KEY_FILE_INVALID', UNDER],
  ['an empty ciphertext', edited({ ciphertext: '' }), 'MASTER_KEY_FILE_INVALID', UNDER],
  [
    'a changed ciphertext',
    edited({ ciphertext: Buffer.from('Ciphertext').toString('base64') }),
    'MASTER_KEY_FILE_DAMAGED',
    UNDER,
  ],
  ['another KMS key', text, 'MASTER_KEY_OTHER_KEY', { ...UNDER, keyArn: `${UNDER.keyArn}b` }],
  ['another encryption context', text, 'MASTER_KEY_OTHER_CONTEXT', { ...UNDER, encryptionContext: { a: '1', b: '3' } }],
];

for (const [what, content, code, expected] of REFUSED) {
  t.test(`rejects ${what} (${code})`, async (t) => {
    t.equal(throwsCode(() => parseMasterKeyFile(content, expected), KeyError, code).code, code);
  });
}
