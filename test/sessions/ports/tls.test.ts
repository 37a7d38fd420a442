/** TLS of a port: who gets through, with which protocol, and for how long. */
import { once } from 'node:events';
import type { ConnectionOptions } from 'node:tls';
import t from 'tap';
import { canonicalSerial } from '../../../config/revocation-names.ts';
import { askEnclave } from '../../../wire/requests/ask.ts';
import { ATTESTATION_ALPN } from '../../../wire/requests/bounds.ts';
import { GOOD, type Made, makeCertificate, type Shape } from '../../keys/support/certificate-maker.ts';
import { echoes } from '../../relay/support/sockets.ts';
import { closed } from '../../support/closed.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { PortsRig } from './support/ports-rig.ts';
import { echoProgram } from './support/programs.ts';

const DAY_MS = 86_400_000;
const turn = () => new Promise((resolve) => setImmediate(resolve));

/** How a handshake ends for the client: with an error's code, or with the end of the connection behind it. */
async function outcome(rig: PortsRig, options: ConnectionOptions): Promise<string> {
  const secured = await rig.handshake(options);
  let code = 'closed';
  secured.on('error', (error: NodeJS.ErrnoException) => {
    code = error.code ?? error.message;
  });
  await closed(secured);
  return code;
}

const identity = ({ pem: cert, keyPem: key }: Made): ConnectionOptions => ({ cert, key });

const WRONG: Readonly<Record<string, [Shape, by?: 'another']>> = {
  expired: [{ ...GOOD.client, fromDays: -9, toDays: -1 }],
  'not valid yet': [{ ...GOOD.client, fromDays: 1 }],
  'of another CA': [GOOD.client, 'another'],
  'for servers': [{ ...GOOD.client, purposes: ['server'] }],
};

for (const minTls of ['TLSv1.3', 'TLSv1.2'] as const) {
  const options: ConnectionOptions = { maxVersion: minTls };
  t.test(
    `${minTls}: takes clients with a certificate of the CA, and rejects all others before the program`,
    async (t) => {
      const { port, sockets } = await echoProgram(t);
      const revoked = [{ serial: canonicalSerial('0d0d') }];
      const rig = await PortsRig.start(t, { programPort: port, asksCertificate: true, revoked, minTls });
      const other = makeCertificate(GOOD.authority, Date.now());
      for (const [what, [shape, by]] of Object.entries(WRONG)) {
        const wrong = makeCertificate(shape, Date.now(), by === undefined ? rig.authority : other);
        t.match(await outcome(rig, { ...options, ...identity(wrong) }), /^(closed|ECONNRESET)$/, what);
      }
      const called = makeCertificate({ ...GOOD.client, serial: '0d0d' }, Date.now(), rig.authority);
      t.match(await outcome(rig, { ...options, ...identity(called) }), /^(closed|ECONNRESET)$/, 'revoked');
      t.match(await outcome(rig, options), /^(closed|ECONNRESET)$/, 'none');
      t.equal(sockets.length, 0);
      t.ok(await echoes(await rig.secure(options)));
      const { counts } = await nextCounts(rig);
      t.match(counts, { refused: { certificate: 5, revoked: 1 }, open: 1 });
    },
  );
}

async function nextCounts(rig: PortsRig) {
  const before = rig.told.length;
  for (;;) {
    const told = rig.told.slice(before).find((message) => message.type === 'counts');
    const counts = told?.type === 'counts' ? told.ports['web'] : undefined;
    if (counts) return { counts };
    await turn();
  }
}

t.test('asks nobody for a certificate where no CA is named', async (t) => {
  const { port } = await echoProgram(t);
  const rig = await PortsRig.start(t, { programPort: port });
  t.ok(await echoes(await rig.secure({ cert: undefined, key: undefined })));
});

t.test('refuses older TLS than is configured', async (t) => {
  const { port } = await echoProgram(t);
  const rig = await PortsRig.start(t, { programPort: port });
  t.match(await outcome(rig, { maxVersion: 'TLSv1.2' }), /ALERT_PROTOCOL_VERSION/);
});

t.test('chooses http/1.1 for requests, and no protocol for bytes', async (t) => {
  const { port } = await echoProgram(t);
  const http = await PortsRig.start(t, { programPort: port, protocol: 'http' });
  const chosen = await http.secure({ ALPNProtocols: ['h2', 'http/1.1'] });
  t.equal(chosen.alpnProtocol, 'http/1.1');
  t.equal((await http.secure()).alpnProtocol, false, 'whoever names none is served');
  t.match(await outcome(http, { ALPNProtocols: ['h2'] }), /ALERT_NO_APPLICATION_PROTOCOL/);
  const bytes = await PortsRig.start(t, { programPort: port });
  const plain = await bytes.secure({ ALPNProtocols: ['h2', 'ssh'] });
  t.equal(plain.alpnProtocol, false);
  t.ok(await echoes(plain));
});

t.test('resumes no session, which would outlive a certificate that is called back', async (t) => {
  const { port } = await echoProgram(t);
  const rig = await PortsRig.start(t, { programPort: port, minTls: 'TLSv1.2' });
  for (const maxVersion of ['TLSv1.3', 'TLSv1.2'] as const) {
    const first = await rig.secure({ maxVersion });
    let session: Buffer | undefined = first.getSession();
    first.on('session', (told: Buffer) => {
      session = told;
    });
    t.ok(await echoes(first));
    const second = await rig.secure({ maxVersion, ...(session && { session }) });
    t.equal(second.isSessionReused(), false);
  }
});

t.test('shows new clients the new certificate, and keeps those that are there', async (t) => {
  const { port } = await echoProgram(t);
  const rig = await PortsRig.start(t, { programPort: port });
  const before = await rig.secure();
  const next = makeCertificate({ ...GOOD.server, subject: 'next' }, Date.now(), rig.authority);
  rig.show(next);
  const behind = await rig.secure();
  t.equal(behind.getPeerCertificate().subject.CN, 'next');
  t.ok(await echoes(before));
  t.ok(await echoes(behind));
});

t.test('ends a client when its certificate ends', async (t) => {
  const { port, sockets } = await echoProgram(t);
  const clock = new FakeClock(Date.now());
  const rig = await PortsRig.start(t, { programPort: port, asksCertificate: true, clock });
  const short = makeCertificate({ ...GOOD.client, toDays: 2 }, clock.nowMs(), rig.authority);
  const client = await rig.secure(identity(short));
  t.ok(await echoes(client));
  clock.advance(DAY_MS);
  t.ok(await echoes(client));
  while (clock.sleeping === 0) await turn();
  clock.advance(DAY_MS);
  await closed(client);
  t.equal(sockets.length, 1);
});

t.test('answers whoever asks for attestation, without a certificate and without the program', async (t) => {
  const { port, sockets } = await echoProgram(t);
  const rig = await PortsRig.start(t, { programPort: port, asksCertificate: true });
  const secured = await rig.handshake({ ALPNProtocols: [ATTESTATION_ALPN] });
  await once(secured, 'secureConnect');
  t.equal(secured.alpnProtocol, ATTESTATION_ALPN);
  const asking = askEnclave(
    secured,
    { type: 'attest', nonce: Buffer.alloc(16, 7).toString('base64') },
    new AbortController().signal,
  );
  const question = () => rig.told.find((message) => message.type === 'request');
  while (!question()) await turn();
  const { id = 0 } = question() as { readonly id?: number };
  rig.ports.answered({ type: 'answer', id, answer: { type: 'attestation', document: 'ZG9j', statement: 'e30=' } });
  t.match(await asking, { type: 'attestation', document: 'ZG9j' });
  t.equal(sockets.length, 0);
});
