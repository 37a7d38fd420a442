/** `keys client-name` as a user runs it: what it prints is what enclave.yaml takes, and nothing else is. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { clientIdFromCertificate, clientIdFromName } from '../../acra/client-id.ts';
import { clientNameFault } from '../../config/client-name.ts';
import { GOOD, makeCertificate } from '../keys/support/certificate-maker.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { acraEnclave } from './support/acra-enclave.ts';

const { pem } = makeCertificate({ ...GOOD.client, subject: 'a, b', serial: '0a1b' }, Date.now());

for (const [from, name] of [
  ['distinguished_name', 'CN=a\\, b'],
  ['serial_number', '0A1B'],
] as const)
  t.test(`prints the name by ${from}, which leads to the id of the certificate`, async (t) => {
    const file = join(temporaryFolder(t), 'client.pem');
    writeFileSync(file, pem);
    const { code, stdout, stderr } = await acraEnclave(['keys', 'client-name', '--from', from, file]);
    t.equal(code, 0, stderr);
    t.equal(stdout, `${name}\n`);
    t.equal(clientNameFault(name, from), undefined);
    t.equal(clientIdFromName(name, from), clientIdFromCertificate(pem, from));
    const json = await acraEnclave(['keys', 'client-name', '--json', '--from', from, file, file]);
    t.same(JSON.parse(json.stdout), { names: [name, name] });
  });

t.test('rejects what is not there, and what is no certificate', async (t) => {
  const file = join(temporaryFolder(t), 'client.pem');
  t.match((await acraEnclave(['keys', 'client-name', file])).stderr, 'error CERTIFICATE_FILE_READ:');
  writeFileSync(file, 'CN=a');
  t.match((await acraEnclave(['keys', 'client-name', file])).stderr, 'error ACRA_CERTIFICATE_INVALID:');
});
