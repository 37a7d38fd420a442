/** A server certificate that has ended, and one of another key, in an enclave that boots with them. */
import { createPrivateKey } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { GOOD, makeCertificate, type Shape } from '../keys/support/certificate-maker.ts';
import { failedBoot, logLines, prepareStack, step } from '../support/stack.ts';

async function stackWith(t: Parameters<typeof prepareStack>[0], shape: (privateKeyPem: string) => Shape) {
  const stack = await prepareStack(t);
  const { pem } = makeCertificate(
    { ...GOOD.server, ...shape(stack.parts.certificates.server.privateKeyPem) },
    Date.now(),
  );
  writeFileSync(join(stack.enclaveFolder, 'tls/server.pem'), pem);
  await stack.allowMeasuredEnclave();
  return stack;
}

t.test('tells of a server certificate that has ended, in the log and in the status, and serves', async (t) => {
  const stack = await stackWith(t, (pem) => ({ key: createPrivateKey(pem), fromDays: -9, toDays: -1 }));
  await stack.enclave.startHostProxy();
  stack.enclave.startSupervisor();
  await stack.enclave.untilServing(step());
  const status = await stack.enclave.until(({ certificates }) => certificates.length > 0, step());
  t.match(
    status.certificates.find(({ certificate }) => certificate === 'server'),
    { life: 'expired' },
  );
  const told = logLines(stack.enclave, 'supervisor').filter(({ event }) => event === 'certificate.expired');
  t.match(told, [{ level: 'error', certificate: 'server', code: 'CERTIFICATE_EXPIRED' }]);
});

t.test('rejects to boot with the certificate of another TLS key (KEY_CERTIFICATE_MISMATCH)', async (t) => {
  const stack = await stackWith(t, () => ({}));
  const { enclave } = await failedBoot(stack.enclave);
  t.equal(enclave?.errorCode, 'KEY_CERTIFICATE_MISMATCH');
  t.equal(enclave?.phase, 'configuration');
});
