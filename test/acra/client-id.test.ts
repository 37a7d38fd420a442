import { readFileSync } from 'node:fs';
import t from 'tap';
import { clientIdFromCertificate } from '../../acra/client-id.ts';
import { AcraError } from '../../acra/errors.ts';
import { throwsCode } from '../support/coded-error.ts';

interface Vector {
  readonly name: string;
  readonly certificate: string;
  readonly clientId: string;
}
const vectors: { cases: Vector[]; serials: Vector[]; rejected: Vector[] } = JSON.parse(
  readFileSync(new URL('../vectors/acra/acra-0.96.0-client-ids.json', import.meta.url), 'utf8'),
);

t.test('derives the client id that acra-keys prints, from the subject', async (t) => {
  for (const { name, certificate, clientId } of vectors.cases) {
    t.equal(clientIdFromCertificate(certificate, 'distinguished_name'), clientId, name);
  }
});

t.test('derives the client id that acra-keys prints, from the serial number', async (t) => {
  for (const { name, certificate, clientId } of vectors.serials) {
    t.equal(clientIdFromCertificate(certificate, 'serial_number'), clientId, name);
  }
});

for (const { name, certificate } of vectors.rejected) {
  t.test(`rejects a subject with ${name} (ACRA_CERTIFICATE_INVALID)`, async () => {
    throwsCode(() => clientIdFromCertificate(certificate, 'distinguished_name'), AcraError, 'ACRA_CERTIFICATE_INVALID');
  });
}

t.test('rejects what is no certificate (ACRA_CERTIFICATE_INVALID)', async () => {
  throwsCode(() => clientIdFromCertificate('nonsense', 'serial_number'), AcraError, 'ACRA_CERTIFICATE_INVALID');
});
