/** `keys revocation` as a user runs it: what it prints refuses that certificate when it stands in enclave.yaml. */
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { parse } from 'yaml';
import { revokedList } from '../../config/revoked.ts';
import { GOOD, makeCertificate } from '../keys/support/certificate-maker.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { acraEnclave } from './support/acra-enclave.ts';

const { pem, certificate } = makeCertificate({ ...GOOD.client, subject: "a'b\n- key: x", serial: '0a1b' }, Date.now());
const spki = certificate.publicKey.export({ type: 'spki', format: 'der' });
const names = { key: createHash('sha256').update(spki).digest('hex'), serial: 'A1B' };

t.test('prints entries that enclave.yaml takes, whatever the certificate calls itself', async (t) => {
  const file = join(temporaryFolder(t), 'client.pem');
  writeFileSync(file, pem);
  for (const by of ['key', 'serial'] as const) {
    const { code, stdout, stderr } = await acraEnclave(['keys', 'revocation', '--by', by, file, file]);
    t.equal(code, 0, stderr);
    t.same(revokedList.parse(parse(stdout)), [{ [by]: names[by] }, { [by]: names[by] }]);
    t.match(stdout, `ends ${certificate.validToDate.toISOString()}`);
  }
  t.match((await acraEnclave(['keys', 'revocation', file])).stdout, names.key, 'the key unless told otherwise');
  const { stdout } = await acraEnclave(['keys', 'revocation', '--json', file]);
  t.match(JSON.parse(stdout), { certificates: [names] });
});

t.test('rejects what is not there, and what is no certificate', async (t) => {
  const file = join(temporaryFolder(t), 'client.pem');
  for (const content of [undefined, 'CN=a']) {
    if (content !== undefined) writeFileSync(file, content);
    t.match((await acraEnclave(['keys', 'revocation', file])).stderr, 'error CERTIFICATE_FILE_READ:');
  }
});
