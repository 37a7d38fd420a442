/** Certificates as files, as clients are pointed at them. */
import { createPrivateKey } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createAuthority } from '../../../emulator/pki/authority.ts';
import { systemClock } from '../../../runtime/clock.ts';

interface ClientCertificate {
  readonly caPem: string;
  readonly certificatePem: string;
  readonly privateKeyPem: string;
}

export async function writeCertificateFiles(
  folder: string,
  { caPem, certificatePem, privateKeyPem }: ClientCertificate,
) {
  const stranger = await createAuthority({ commonName: 'another CA', clock: systemClock });
  const keep = (name: string, content: string | Buffer): string => {
    const file = join(folder, name);
    writeFileSync(file, content, { mode: 0o600 });
    return file;
  };
  return {
    ca: keep('ca.pem', caPem),
    cert: keep('client.pem', certificatePem),
    key: keep('client.key', privateKeyPem),
    keyDer: keep('client.pk8', createPrivateKey(privateKeyPem).export({ format: 'der', type: 'pkcs8' })),
    wrongCa: keep('wrong-ca.pem', stranger.certificatePem),
  };
}
