/** An enclave that has made its TLS key itself and serves; its clients log in by a verifier, bound to the certificate. */
import type { X509Certificate } from 'node:crypto';
import type { Test } from 'tap';
import { ENCLAVE_NAME } from '../../../cli/demo/certificates.ts';
import { type ServingStack, servingStack } from '../../support/stack.ts';
import { PASSWORD } from './own-tls-client.ts';
import { shownCertificate } from './shown-certificate.ts';
import { changeInDatabase, verifierOf } from './verifier-login.ts';

export async function ownTlsStack(
  t: Test,
): Promise<{ readonly serving: ServingStack; readonly certificate: X509Certificate }> {
  const verifier = await verifierOf(PASSWORD);
  const serving = await servingStack(t, {
    enclaveSettings: { tls: { key: 'attested', names: [ENCLAVE_NAME] }, database: { login: 'verifier' } },
    databaseSecrets: { secret: verifier },
  });
  await changeInDatabase(serving.stack, verifier);
  return { serving, certificate: await shownCertificate(serving.address) };
}
