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
