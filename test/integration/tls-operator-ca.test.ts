/** The operator's CA signs the TLS key of each boot: nothing but a certificate of that CA for that key is taken, and the enclave waits until then. */
import { createPublicKey } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { ENCLAVE_NAME } from '../../cli/demo/certificates.ts';
import type { Stack } from '../../cli/demo/stack.ts';
import { writeVerificationFiles } from '../../cli/demo/verification.ts';
import { readCertificateRequest } from '../../keys/tls/certificate-request.ts';
import { acraEnclave } from '../cli/support/acra-enclave.ts';
import { GOOD, type Made, makeCertificate, type Shape } from '../keys/support/certificate-maker.ts';
import { withoutPsql } from '../support/psql.ts';
import { logLines, prepareStack, step } from '../support/stack.ts';
import { answerOf, PASSWORD, psql, session } from './support/own-tls-client.ts';
import { shownCertificate } from './support/shown-certificate.ts';
import { changeInDatabase, verifierOf } from './support/verifier-login.ts';

const NONCE = '5a'.repeat(32);
const authority = makeCertificate({ ...GOOD.authority, subject: 'server CA' }, Date.now());

/** What an operator does, with the commands that he has. */
class Operator {
  readonly #stack: Stack;

  constructor(stack: Stack) {
    this.#stack = stack;
  }

  path(name: string): string {
    return join(this.#stack.options.root, name);
  }

  write(name: string, content: string): string {
    writeFileSync(this.path(name), content);
    return this.path(name);
  }

  #run(...words: string[]) {
    return acraEnclave(['certificate', ...words], {});
  }

  /** @returns the file */
  async request(name: string): Promise<string> {
    const { stdout } = await this.#run('request', '--config', this.path('host-proxy.yaml'), '--nonce', NONCE);
    return this.write(name, stdout);
  }

  async sign(request: string, ca: Made, out: string, ...more: string[]) {
    const { measurements, trustRoot } = await writeVerificationFiles(this.#stack);
    const files = ['--ca', this.write('ca.pem', ca.pem), '--ca-key', this.write('ca.key', ca.keyPem)];
    const root = ['--trust-root', trustRoot];
    const nonce = request.startsWith('http:') ? [] : ['--nonce', NONCE];
    const words = ['--request', request, ...files, '--measurements', measurements, ...nonce, ...root, ...more];
    return this.#run('sign', ...words, '--out', this.path(out));
  }

  install(file: string) {
    return this.#run('install', this.path(file), '--config', this.path('host-proxy.yaml'));
  }
}

const untilAwaited = ({ enclave }: Stack) => enclave.until((seen) => seen.enclave?.phase === 'certificate', step());

async function awaitingStack(t: Test): Promise<Stack> {
  const verifier = await verifierOf(PASSWORD);
  const stack = await prepareStack(t, {
    enclaveSettings: {
      tls: { key: 'attested', certificate: 'operator-ca', names: [ENCLAVE_NAME] },
      database: { login: 'verifier' },
    },
    databaseSecrets: { secret: verifier },
    hostSettings: { attestation: { listen: 'tcp://127.0.0.1:0' } },
  });
  writeFileSync(join(stack.enclaveFolder, 'tls/server-ca.pem'), authority.pem);
  await changeInDatabase(stack, verifier);
  await stack.allowMeasuredEnclave();
  await stack.enclave.startHostProxy();
  stack.enclave.startSupervisor();
  return stack;
}

/** For the key of a request, by other tools, as an attacker would. */
function forged(requestFile: string, change: Shape, issuer: Made): string {
  const { request } = JSON.parse(readFileSync(requestFile, 'utf8')) as { request: string };
  const { publicKey } = readCertificateRequest(Buffer.from(request, 'base64'));
  const spki = createPublicKey({ key: publicKey.export({ format: 'jwk' }), format: 'jwk' });
  const shape: Shape = { dnsNames: [ENCLAVE_NAME], purposes: ['server'], keyUsage: 'digitalSignature' };
  const hex = spki.export({ type: 'spki', format: 'der' }).toString('hex');
  return makeCertificate({ ...shape, spki: hex, ...change }, Date.now(), issuer).pem;
}

t.test('waits for a certificate of the measured CA, and takes no other', async (t) => {
  const stack = await awaitingStack(t);
  const operator = new Operator(stack);
  const waiting = await untilAwaited(stack);
  t.match(waiting.reason, { code: 'BOOT_CERTIFICATE_MISSING', message: /^waiting for a certificate for the TLS key/ });
  const first = await operator.request('first.json');

  await t.test('also when it was killed between request and certificate: its next key is another', async (t) => {
    stack.enclave.supervisor?.kill('SIGKILL');
    await stack.enclave.supervisor?.exited;
    stack.enclave.startSupervisor();
    await stack.enclave.until((seen) => seen.enclave?.phase !== 'certificate', step());
    await untilAwaited(stack);
    t.equal((await operator.sign(first, authority, 'first.pem')).code, 0);
    t.match((await operator.install('first.pem')).stderr, 'TLS_CERTIFICATE_OTHER_KEY');
  });

  const request = await operator.request('request.json');
  const other = makeCertificate({ ...GOOD.authority, subject: 'server CA' }, Date.now());
  for (const [what, pem, code] of [
    ['another CA of that name', forged(request, {}, other), 'TLS_CERTIFICATE_OTHER_CA'],
    ['an expired one', forged(request, { fromDays: -9, toDays: -1 }, authority), 'TLS_CERTIFICATE_NOT_VALID'],
    ['wrong names', forged(request, { dnsNames: ['other.test'] }, authority), 'TLS_CERTIFICATE_OTHER_NAMES'],
    ['no certificate', 'nothing', 'TLS_CERTIFICATE_INVALID'],
  ] as const) {
    operator.write('wrong.pem', pem);
    t.match((await operator.install('wrong.pem')).stderr, code, what);
  }
  t.equal((await stack.enclave.until(() => true, step())).enclave?.phase, 'certificate', 'it still waits');

  await t.test('and the CA signs only what the measured enclave asks for', async (t) => {
    t.match((await operator.sign(request, authority, 'no.pem', '--nonce', 'a5'.repeat(32))).stderr, 'NONCE');
    const [old, now] = [first, request].map((file) => JSON.parse(readFileSync(file, 'utf8')));
    const mixed = operator.write('mixed.json', JSON.stringify({ ...now, request: old.request }));
    t.match((await operator.sign(mixed, authority, 'no.pem')).stderr, 'TLS_REQUEST_NOT_BOUND');
  });

  const signed = await operator.sign(request, authority, 'server.pem');
  t.match(signed.stdout, /^Trusts .* in the place of AWS/, 'first of all it says whom it trusts');
  t.match((await operator.install('server.pem')).stdout, 'installed');
  const address = await stack.enclave.untilServing(step());
  const serving = { stack, address };

  await t.test('then serves with it', { skip: withoutPsql }, async (t) => {
    t.equal(await psql(serving, authority.pem, 'channel_binding=require'), '42');
    await t.rejects(session(serving, other.pem), { code: 'CERT_SIGNATURE_FAILURE' });
  });

  await t.test('and shows a renewed one to new sessions, while the others go on', async (t) => {
    const before = await session(serving, authority.pem);
    const { serialNumber } = await shownCertificate(address);
    const listening = logLines(stack.enclave, 'host-proxy').find(({ event }) => event === 'attestation.listening');
    const url = String(listening?.['address']).replace('tcp:', 'http:');
    t.equal((await operator.sign(url, authority, 'renewed.pem', '--days', '30')).code, 0, 'asked over HTTP');
    t.match((await operator.install('renewed.pem')).stdout, 'installed');
    operator.write('wrong.pem', forged(request, {}, other));
    t.match((await operator.install('wrong.pem')).stderr, 'TLS_CERTIFICATE_OTHER_CA');
    t.not((await shownCertificate(address)).serialNumber, serialNumber);
    const after = await session(serving, authority.pem);
    t.equal(await answerOf(after), 42);
    t.equal(await answerOf(before), 42);
    await Promise.all([before.end(), after.end()]);
  });
});
