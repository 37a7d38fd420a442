/** TLS that is older, other, or larger than it should be, and certificates that are not those of a client of this enclave. */
import { once } from 'node:events';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import t from 'tap';
import { ENCLAVE_NAME } from '../../cli/demo/certificates.ts';
import { createAuthority, type IssuedCertificate } from '../../emulator/pki/authority.ts';
import { SSL_REQUEST } from '../../postgres/start-up.ts';
import { systemClock } from '../../runtime/clock.ts';
import { type Attacked, attackedStack } from './support/attacked.ts';
import { longClientHello } from './support/client-hello.ts';
import { HonestClient, holdHonest, tellHonest } from './support/honest.ts';
import { holdMemory, residents } from './support/memory.ts';
import { dial, drain, frame, RawClient, secure, startupPacket } from './support/raw-client.ts';

const DAY_MS = 86_400_000;

async function certificates({ stack }: Attacked): Promise<Readonly<Record<string, IssuedCertificate | undefined>>> {
  const { applicationCa, server, database } = stack.parts.certificates;
  const another = await createAuthority({ commonName: 'demo application CA', clock: systemClock });
  const client = { commonName: 'demo-application', kind: 'client' } as const;
  const now = Date.now();
  const past = { notBefore: new Date(now - 9 * DAY_MS), notAfter: new Date(now - DAY_MS) };
  const future = { notBefore: new Date(now + DAY_MS), notAfter: new Date(now + 9 * DAY_MS) };
  return {
    'no certificate': undefined,
    'a certificate of another CA with the same name': await another.issue(client),
    'a certificate that has expired': await applicationCa.issue({ ...client, ...past }),
    'a certificate that is not valid yet': await applicationCa.issue({ ...client, ...future }),
    'a certificate of a server': server,
    "the database's certificate": database,
    'a certificate of an identity without keys': await applicationCa.issue({ commonName: 'stranger', kind: 'client' }),
  };
}

t.test('certificates that open no session', { timeout: 120_000 }, async (t) => {
  const target = await attackedStack(t);
  const honest = await HonestClient.start(t, target);
  for (const [name, certificate] of Object.entries(await certificates(target))) {
    const client = new RawClient(await secure(target, certificate));
    // It does not wait for an answer, and does not listen to one.
    client.send(startupPacket(), frame('Q', 'SELECT 1\0'));
    for (let count = 0; count < 20; count += 1) client.send(frame('Q', 'SELECT 1\0'));
    t.equal(await client.untilEnd(), 'ended');
    t.same(client.types, 'E', `${name}: ${client.errors[0]?.message}`);
    t.equal(client.errors[0]?.sqlState, '28000');
  }
  const report = await honest.report();
  tellHonest(t, 'meanwhile', report);
  holdHonest(t, 'meanwhile', report);
  await honest.end();
});

const HANDSHAKES: Readonly<Record<string, ConnectionOptions>> = {
  'TLS 1.2': { maxVersion: 'TLSv1.2' },
  'TLS 1.1': { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT:@SECLEVEL=0' },
  'another protocol by ALPN': { ALPNProtocols: ['h2', 'http/1.1'] },
  'a cipher that nobody has': { ciphers: 'TLS_AES_128_CCM_8_SHA256' },
};

t.test('handshakes that do not come about', { timeout: 120_000 }, async (t) => {
  const target = await attackedStack(t);
  const honest = await HonestClient.start(t, target);
  for (const [name, options] of Object.entries(HANDSHAKES)) {
    await t.rejects(secure(target, target.attacker, options), name);
  }
  const plain = new RawClient(await secure(target, target.attacker, { ALPNProtocols: [] }));
  plain.send(startupPacket());
  await plain.untilEnd();
  t.equal(plain.errors[0]?.sqlState, '08P01', 'direct TLS without a protocol');

  for (const bytes of [64 * 1024, 120 * 1024, 1024 * 1024, 0xff_ffff]) {
    for (const first of [Buffer.alloc(0), SSL_REQUEST]) {
      const socket = dial(target);
      if (first.length > 0) {
        socket.write(first);
        await once(socket, 'data');
      }
      const ended = drain(socket);
      socket.write(longClientHello(bytes));
      await ended;
      t.pass(`a ClientHello of ${bytes} bytes ends`);
    }
  }

  const sessions: Buffer[] = [];
  const secured = await secure(target, target.attacker);
  secured.on('session', (session) => sessions.push(session));
  const first = new RawClient(secured);
  first.send(startupPacket());
  t.equal(await first.untilType('Z'), 'came');
  t.comment(`${sessions.length} sessions to resume were handed out`);
  const { address, stack } = target;
  const again = connectTls({
    host: address.host,
    port: address.port,
    ca: stack.parts.certificates.applicationCaPem,
    servername: ENCLAVE_NAME,
    ALPNProtocols: ['postgresql'],
    session: sessions.at(-1) ?? secured.getSession(),
  });
  await once(again, 'secureConnect');
  t.notOk(again.isSessionReused(), 'none is taken');
  const resumed = new RawClient(again);
  resumed.send(startupPacket());
  await resumed.untilEnd();
  t.equal(resumed.errors[0]?.sqlState, '28000', 'and opens nothing');
  first.socket.destroy();

  const report = await honest.report();
  tellHonest(t, 'meanwhile', report);
  holdHonest(t, 'meanwhile', report);
  holdMemory(t, 'afterwards', residents(stack.enclave, stack.parts.certificates.client.certificatePem));
  await honest.end();
});
