import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect, createServer } from 'node:tls';
import t from 'tap';
import { createAuthority, loadOrCreateAuthority } from '../../../emulator/pki/authority.ts';
import { systemClock } from '../../../runtime/clock.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const DAY_MS = 86_400_000;

t.test('issues server and client certificates that TLS accepts on both sides', async (t) => {
  const authority = await createAuthority({ commonName: 'Test', clock: systemClock });
  const server = await authority.issue({
    commonName: 'db',
    subjectAltNames: ['db.test', '127.0.0.1', '::1'],
    kind: 'server',
  });
  const client = await authority.issue({ commonName: 'app', kind: 'client' });
  const listener = createServer({
    cert: server.certificatePem,
    key: server.privateKeyPem,
    ca: authority.certificatePem,
    requestCert: true,
    rejectUnauthorized: true,
  });
  t.teardown(() => listener.close());
  await once(listener.listen(0, '127.0.0.1'), 'listening');
  const { port } = listener.address() as AddressInfo;
  const peer = once(listener, 'secureConnection');
  const socket = connect({
    host: '127.0.0.1',
    port,
    servername: 'db.test',
    ca: authority.certificatePem,
    cert: client.certificatePem,
    key: client.privateKeyPem,
  });
  t.teardown(() => socket.destroy());
  await once(socket, 'secureConnect');
  const [accepted] = await peer;
  t.equal(accepted.getPeerCertificate().subject.CN, 'app');
});

t.test('names the subject attribute by attribute, in the order given', async (t) => {
  const authority = await createAuthority({ commonName: 'Test', clock: systemClock });
  const { certificatePem } = await authority.issue({
    subject: [
      { type: 'C', value: 'CH' },
      { type: 'O', value: 'Räder, Söhne' },
      { type: 'OU', value: 'a' },
      { type: 'CN', value: 'x' },
    ],
    kind: 'client',
  });
  t.equal(new X509Certificate(certificatePem).subject, 'C=CH\nO=Räder\\, Söhne\nOU=a\nCN=x');
});

t.test('encodes DNS names, IPv4 and IPv6 addresses', async (t) => {
  const authority = await createAuthority({ commonName: 'Test', clock: systemClock });
  const subjectAltNames = ['a.test', '10.0.0.1', '::1', 'fe80::1:2', '2001:db8:1:2:3:4:5:6'];
  const { certificatePem } = await authority.issue({ commonName: 'x', subjectAltNames, kind: 'server' });
  const certificate = new X509Certificate(certificatePem);
  t.equal(certificate.checkHost('a.test'), 'a.test');
  for (const address of subjectAltNames.slice(1)) t.equal(certificate.checkIP(address), address);
  t.equal(certificate.checkIP('::2'), undefined);
});

t.test('dates certificates by the clock, or as told', async (t) => {
  const clock = new FakeClock();
  const authority = await createAuthority({ commonName: 'Test', clock });
  const byClock = new X509Certificate((await authority.issue({ commonName: 'x', kind: 'server' })).certificatePem);
  t.equal(Date.parse(byClock.validTo), clock.nowMs() + 90 * DAY_MS);
  const [notBefore, notAfter] = [new Date('2020-01-01T00:00:00Z'), new Date('2051-01-01T00:00:00Z')];
  const told = new X509Certificate(
    (await authority.issue({ commonName: 'x', kind: 'server', notBefore, notAfter })).certificatePem,
  );
  t.equal(Date.parse(told.validFrom), notBefore.getTime());
  t.equal(Date.parse(told.validTo), notAfter.getTime(), 'beyond 2049, where the encoding changes');
});

t.test('keeps the authority in its folder', async (t) => {
  const folder = temporaryFolder(t);
  const before = await loadOrCreateAuthority(folder, { commonName: 'Test', clock: systemClock });
  const after = await loadOrCreateAuthority(folder, { commonName: 'Test', clock: systemClock });
  t.equal(after.certificatePem, before.certificatePem);
  const leaf = new X509Certificate((await after.issue({ commonName: 'x', kind: 'server' })).certificatePem);
  t.ok(leaf.verify(new X509Certificate(before.certificatePem).publicKey));
});
