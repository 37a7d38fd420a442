import t from 'tap';
import { clientKeyFile, describeKeyFile, isClientId } from '../../../acra/keystore/layout.ts';
import { atRest } from '../support/at-rest.ts';

t.test('recognises every file of a keystore that acra-server accepted', async (t) => {
  for (const path of Object.keys(atRest.keystore)) t.equal(describeKeyFile(path)?.path, path);
});

t.test('says what each file is sealed with', async (t) => {
  t.match(describeKeyFile('a client_1_storage_sym'), { clientId: 'a client_1', context: 'a client_1', rotated: false });
  t.match(describeKeyFile('.poison_key/poison_key'), { clientId: undefined, context: '.poison_key/poison_key' });
  t.match(describeKeyFile('secure_log_key'), { purpose: 'audit-log', context: 'secure_log_key' });
  t.match(describeKeyFile('client_storage.pub'), { purpose: 'storage-public', context: undefined });
});

t.test('takes a rotated key for one of its client, under the same context', async (t) => {
  const rotated = describeKeyFile('client_hmac.old/2026-01-02T15:04:05.123');
  t.match(rotated, { purpose: 'search-hmac', clientId: 'client', context: 'client', rotated: true });
});

t.test('knows the name that it gives', async (t) => {
  const file = clientKeyFile('some_storage client', 'storage-private');
  t.same(describeKeyFile(file.path), file);
});

const unknown = [
  'encrypted_master_key',
  'version',
  'abcd_hmac',
  'client_storage_sym.bak',
  'client_zone',
  'client_server',
  'sub/client_hmac',
  '.poison_key/client_hmac',
  'client_hmac.old/yesterday',
  'client_storage_sym.old',
];
for (const path of unknown) {
  t.test(`does not know ${path}`, async (t) => {
    t.equal(describeKeyFile(path), undefined);
  });
}

t.test('accepts client ids of 5 to 243 characters, whose key files a file system can hold', async (t) => {
  t.same(['abcde', 'A-Z_09 x', 'f'.repeat(243)].map(isClientId), [true, true, true]);
  t.same(['abcd', 'f'.repeat(244), 'a/bcde', 'ünïcode', 'a.bcde', ''].map(isClientId), [
    false,
    false,
    false,
    false,
    false,
    false,
  ]);
});
