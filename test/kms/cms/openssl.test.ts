import { execFileSync, spawnSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { openEnvelopedData } from '../../../kms/cms/enveloped-data.ts';
import { CmsError } from '../../../kms/errors.ts';
import { throwsCode } from '../../support/coded-error.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const hasOpenssl = spawnSync('openssl', ['version']).status === 0;
const skip = hasOpenssl ? false : 'openssl is not installed';

const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const OAEP_SHA256 = ['-keyopt', 'rsa_padding_mode:oaep', '-keyopt', 'rsa_oaep_md:sha256'];

/** Encrypts to a self-signed certificate of our key; the folder holds what openssl needs. */
function encrypt(folder: string, secret: Buffer, ...options: readonly string[]): Buffer {
  const path = (name: string) => join(folder, name);
  writeFileSync(path('key.pem'), privateKey.export({ type: 'pkcs8', format: 'pem' }));
  writeFileSync(path('secret'), secret);
  writeFileSync(path('openssl.cnf'), '[req]\ndistinguished_name=dn\n[dn]\n');
  const request = [
    'req',
    '-x509',
    '-new',
    '-config',
    path('openssl.cnf'),
    '-key',
    path('key.pem'),
    '-subj',
    '/CN=recipient',
  ];
  execFileSync('openssl', [...request, '-out', path('certificate.pem')], { stdio: 'pipe' });
  const output = ['-binary', '-outform', 'DER', '-in', path('secret'), '-out', path('envelope')];
  execFileSync('openssl', ['cms', '-encrypt', '-aes256', ...output, '-recip', path('certificate.pem'), ...options], {
    stdio: 'pipe',
  });
  return readFileSync(path('envelope'));
}

t.test('opens what OpenSSL encrypts with issuerAndSerialNumber', { skip }, (t) => {
  const secret = Buffer.from('a secret of OpenSSL');
  using opened = openEnvelopedData(encrypt(temporaryFolder(t), secret, ...OAEP_SHA256), privateKey);
  t.same(
    opened.use((bytes) => Buffer.from(bytes)),
    secret,
  );
  t.end();
});

t.test("rejects OpenSSL's default, PKCS#1 v1.5 (CMS_UNSUPPORTED)", { skip }, (t) => {
  const bytes = encrypt(temporaryFolder(t), Buffer.from('secret'));
  throwsCode(() => openEnvelopedData(bytes, privateKey), CmsError, 'CMS_UNSUPPORTED');
  t.end();
});
