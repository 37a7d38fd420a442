/** TLS of an application that ends in an enclave machine, by a key that the machine made: verified by whoever uses it, before it is used. */
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { connect as connectTcp } from 'node:net';
import { join } from 'node:path';
import { buffer, text } from 'node:stream/consumers';
import { type ConnectionOptions, connect } from 'node:tls';
import t from 'tap';
import { createAuthority } from '../../emulator/pki/authority.ts';
import { systemClock } from '../../runtime/clock.ts';
import type { TcpEndpoint } from '../../wire/endpoint.ts';
import { parseProxyHeader } from '../../wire/proxy-protocol.ts';
import { acraEnclave } from '../cli/support/acra-enclave.ts';
import { closed } from '../support/closed.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { AppMachine } from './support/app-machine.ts';
import { step } from './support/enclave-stack.ts';
import { target } from './support/target.ts';

const NAME = 'app.test';
const folder = temporaryFolder(t);
const signing = await target().prepareSigning(folder);
const clients = await createAuthority({ commonName: 'clients', clock: systemClock });
const client = await clients.issue({ commonName: 'ada', kind: 'client' });

const machine = await AppMachine.serve(t, {
  ...(signing !== undefined && { init: signing.init }),
  files: { 'clients.pem': clients.certificatePem },
  enclave: {
    programs: { web: { command: ['node', '/probe/probe.ts'], probe: { http: 'http://127.0.0.1/' } } },
    tls: { names: [NAME] },
    ingress: {
      web: { to: 'tcp://127.0.0.1:80', vsockPort: 8080, tls: 'ended', protocol: 'http' },
      known: { to: 'tcp://127.0.0.1:80', vsockPort: 8081, tls: 'ended', protocol: 'http', clientCa: 'clients.pem' },
      raw: { to: 'tcp://127.0.0.1:81', vsockPort: 8082, tls: 'ended', protocol: 'tcp', proxyProtocol: true },
    },
    health: { maxClockJumpMs: 3_600_000, probeTimeoutMs: 30_000 },
  },
  host: {
    ingress: {
      web: { listen: 'tcp://127.0.0.1:0', vsockPort: 8080 },
      known: { listen: 'tcp://127.0.0.1:0', vsockPort: 8081 },
      raw: { listen: 'tcp://127.0.0.1:0', vsockPort: 8082 },
    },
  },
});
const addresses = {
  web: machine.addressOf('web'),
  known: machine.addressOf('known'),
  raw: machine.addressOf('raw'),
};

/** As whoever uses the service runs it. */
async function verify(port: TcpEndpoint, ...options: readonly string[]) {
  const root = join(folder, 'root.pem');
  if (signing?.trust.kind === 'signed') writeFileSync(root, new X509Certificate(signing.trust.rootDer).toString());
  const trust = signing === undefined ? [] : ['--trust-root', root];
  return acraEnclave(['verify', '--connect', `${port.host}:${port.port}`, ...trust, ...options]);
}

const measurements = join(machine.root, 'build', 'measurements.json');
const verified = join(folder, 'verified');

t.test('is verified by command on each port: the image, the settings, and the key at which its TLS ends', async (t) => {
  for (const [name, address] of Object.entries(addresses)) {
    const out = name === 'web' ? ['--out', verified] : [];
    const demands = ['--measurements', measurements, '--require-attested-tls-key'];
    const { code, stdout, stderr } = await verify(address, ...demands, ...out);
    t.equal(code, 0, `${name}: ${stdout}${stderr}`);
    for (const claim of ['pcr0', 'expected-statement', 'tls-key', 'tls-key-origin'])
      t.match(stdout, new RegExp(`^pass +${claim}$`, 'm'));
  }
});

t.test('is refused by whoever demands another image', async (t) => {
  const { code, stdout } = await verify(addresses.web, '--pcr', `0=${'ab'.repeat(48)}`);
  t.equal(code, 1);
  t.match(stdout, /^FAIL +pcr0 ATTESTATION_PCR_MISMATCH$/m);
});

/** By the certificate that `verify` wrote, and no other. */
function ask(port: TcpEndpoint, options: ConnectionOptions = {}): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const ca = readFileSync(join(verified, 'ca.pem'));
  const { host, port: number } = port;
  const words = { host, port: number, path: '/headers', ca, servername: NAME, agent: false, signal: step() };
  request({ ...words, ...options }, (response) => text(response).then(resolve, reject))
    .once('error', reject)
    .end();
  return promise;
}

t.test('answers over the key that was verified, and tells the program what it knows of the client', async (t) => {
  const told = JSON.parse(await ask(addresses.web)) as Record<string, string>;
  t.match(told, { 'x-forwarded-for': '127.0.0.1', 'x-forwarded-proto': 'https' });
  t.notOk('x-client-certificate-subject' in told);
});

t.test('serves where certificates are demanded whoever shows one, by name, and nobody else', async (t) => {
  const { certificatePem: cert, privateKeyPem: key } = client;
  const told = JSON.parse(await ask(addresses.known, { cert, key })) as Record<string, string>;
  t.equal(told['x-client-certificate-subject'], 'CN=ada');
  await t.rejects(ask(addresses.known), { code: 'ECONNRESET' });
});

t.test('hands on the bytes inside TLS, with whose connection it is before them', async (t) => {
  const ca = readFileSync(join(verified, 'ca.pem'));
  const { host, port } = addresses.raw;
  const socket = connect({ host, port, ca, servername: NAME });
  await once(socket, 'secureConnect', { signal: step() });
  const { localPort = 0 } = socket;
  socket.write('bytes\n');
  const all = Buffer.from((await buffer(socket)).toString(), 'hex');
  const found = parseProxyHeader(all);
  t.match(found, { kind: 'proxied', source: { address: '127.0.0.1', port: localPort } });
  t.equal(all.toString('latin1', 'headerBytes' in found ? found.headerBytes : 0), 'bytes\n');
});

t.test('answers nothing to HTTP without TLS, and refuses another protocol by an alert', async (t) => {
  const { host, port } = addresses.web;
  const plain = connectTcp(port, host).on('error', () => undefined);
  plain.end('GET /headers HTTP/1.1\r\nHost: app.test\r\n\r\n');
  const heard = buffer(plain).catch(() => Buffer.alloc(0));
  await closed(plain);
  t.equal((await heard).length, 0);
  const other = connect({ host, port, ALPNProtocols: ['h2'], rejectUnauthorized: false });
  await t.rejects(once(other, 'secureConnect', { signal: step() }), {
    code: 'ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL',
  });
});
