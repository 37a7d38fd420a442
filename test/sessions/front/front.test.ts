/** A front end to end: what a guard gets, and what clients are told that get no guard. */
import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import t from 'tap';
import { tlsServerEndPoint } from '../../../postgres/scram/channel-binding.ts';
import { encodeStartupMessage } from '../../../postgres/startup-message.ts';
import { SecretBuffer } from '../../../runtime/secret-buffer.ts';
import { errorFields } from '../../emulator/acra-server/support/frames.ts';
import { readToEnd, settled } from '../support/streams.ts';
import { frontRig, LIMITS, newServerTls } from './support/front-rig.ts';

const STARTUP = {
  minor: 0,
  parameters: new Map([
    ['user', 'app'],
    ['database', 'shop'],
  ]),
};
const PACKET = encodeStartupMessage(STARTUP);
const fatal = async (socket: Duplex) => {
  const bytes = await readToEnd(socket);
  return {
    type: bytes.toString('latin1', 0, 1),
    ...errorFields(bytes.subarray(5)),
    isAlone: bytes.length === bytes.readUInt32BE(1) + 1,
  };
};

t.test('hands the guard an opening, then every byte both ways', async (t) => {
  const { guard, secured, asked } = await frontRig(t);
  const handed = guard.next();
  const client = await secured();
  client.write(Buffer.concat([PACKET, Buffer.from('early')]));
  const { opening, socket } = await handed;
  t.same(opening.startup, STARTUP);
  t.ok(opening.loginMs <= LIMITS.loginMs && opening.loginMs > 0);
  t.ok(opening.certificateEndsMs > Date.now());
  t.match(asked, [/^[0-9a-f]{128}$/]);
  const big = Buffer.alloc(3_000_000, 'x');
  client.end(big);
  const read = readToEnd(socket);
  t.ok((await read).equals(Buffer.concat([Buffer.from('early'), big])));
});

t.test('passes a long answer to a client that reads slowly, also when the guard ends behind it', async (t) => {
  const { guard, secured } = await frontRig(t);
  const handed = guard.next();
  const client = await secured();
  client.write(PACKET);
  const { socket } = await handed;
  const big = Buffer.alloc(5_000_000, 'y');
  socket.end(big);
  await settled();
  t.ok((await readToEnd(client)).equals(big));
});

t.test('gives the last word of a guard to a client that goes on sending', async (t) => {
  const { guard, secured } = await frontRig(t);
  for (let round = 0; round < 20; round++) {
    const handed = guard.next();
    const client = await secured();
    client.write(PACKET);
    const { socket } = await handed;
    client.write(Buffer.alloc(400_000));
    socket.end('the last word');
    socket.resume();
    t.equal((await readToEnd(client).catch((error) => error.message)).toString(), 'the last word');
  }
});

for (const [certificate, reason] of [
  ['none', /none was shown/],
  ['foreign', /CA is not known|signature/i],
  ['expired', /expired/],
  ['not for clients', /not for clients/],
] as const) {
  t.test(`tells a client inside TLS what is wrong with its certificate: ${certificate}`, async (t) => {
    const { secured, asked } = await frontRig(t);
    const client = await secured(certificate);
    client.write(PACKET);
    t.match(await fatal(client), { type: 'E', S: 'FATAL', C: '28000', M: reason, isAlone: true });
    t.same(asked, [], 'nobody was asked for a guard');
  });
}

t.test('answers nothing to a client that goes on behind an ErrorResponse', async (t) => {
  const { secured, clock } = await frontRig(t);
  const client = await secured('expired');
  const told = fatal(client);
  client.write(PACKET);
  await once(client, 'readable').catch(() => undefined);
  for (let count = 0; count < 5; count++) client.write(PACKET);
  t.match(await told, { C: '28000', isAlone: true });
  clock.advance(2_000);
});

t.test('takes TLS at once with ALPN postgresql, and refuses it without or with another', async (t) => {
  const { guard, secured } = await frontRig(t);
  const handed = guard.next();
  const client = await secured('good', { isDirect: true, ALPNProtocols: ['postgresql'] });
  t.equal(client.alpnProtocol, 'postgresql');
  client.write(PACKET);
  t.same((await handed).opening.startup, STARTUP);
  const without = await secured('good', { isDirect: true });
  t.match(await fatal(without), { C: '08P01', M: /ALPN/ });
  await t.rejects(secured('good', { isDirect: true, ALPNProtocols: ['h2'] }), { code: /ALERT|APPLICATION_PROTOCOL/ });
});

t.test('asks for no ALPN of a client that has asked for TLS, and takes postgresql', async (t) => {
  const { secured } = await frontRig(t);
  t.equal((await secured()).alpnProtocol, false);
  t.equal((await secured('good', { ALPNProtocols: ['postgresql'] })).alpnProtocol, 'postgresql');
});

t.test('refuses TLS 1.2 unless it is allowed', async (t) => {
  const strict = await frontRig(t);
  await t.rejects(strict.secured('good', { maxVersion: 'TLSv1.2' }), { code: /ALERT_PROTOCOL_VERSION/ });
  const lenient = await frontRig(t, { minTls: 'TLSv1.2' });
  t.equal((await lenient.secured('good', { maxVersion: 'TLSv1.2' })).getProtocol(), 'TLSv1.2');
  t.equal((await lenient.secured()).getProtocol(), 'TLSv1.3');
});

t.test('resumes no session, in TLS 1.2 or 1.3', async (t) => {
  const { secured, guard } = await frontRig(t, { minTls: 'TLSv1.2' });
  for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
    const handed = guard.next();
    const first = await secured('good', { maxVersion });
    const sessions = [first.getSession()];
    first
      .on('session', (session) => sessions.push(session))
      .resume()
      .write(PACKET);
    (await handed).socket.write('answer');
    await once(first, 'data');
    for (const session of sessions.filter((each) => each !== undefined)) {
      const again = await secured('good', { maxVersion, session });
      t.notOk(again.isSessionReused(), maxVersion);
    }
  }
});

t.test('ends silent and slow connections: first byte, request, handshake, packet', async (t) => {
  const { clock, plain, secured, logger } = await frontRig(t);
  const silent = await plain();
  await clock.untilSleeping();
  clock.advance(LIMITS.firstByteMs);
  await readToEnd(silent);
  const slow = await plain();
  slow.write(Buffer.from('000000', 'hex'));
  const inTls = await secured();
  inTls.write(PACKET.subarray(0, 5));
  // Three times of the silent one with its farewell, three of the slow one, five of the one in TLS, one to tell the counts.
  while (clock.sleptMs.length < 12) await settled();
  clock.advance(LIMITS.startupMs);
  await Promise.all([readToEnd(slow), readToEnd(inTls)]);
  const reasons = logger.records.map(({ fields }) => fields['reason']);
  t.same(reasons.toSorted(), [
    'the first byte took too long',
    'the request for TLS took too long',
    'the start-up packet took too long',
  ]);
});

t.test('refuses sessions beyond those of one client (53300), and takes one when another has ended', async (t) => {
  const { guard, secured } = await frontRig(t, { limits: { ...LIMITS, maxSessionsPerClient: 1 } });
  const handed = guard.next();
  const first = await secured();
  first.write(PACKET);
  const { socket } = await handed;
  const second = await secured();
  second.write(PACKET);
  t.match(await fatal(second), { C: '53300' });
  socket.end();
  await readToEnd(first);
  await settled();
  const again = guard.next();
  (await secured()).write(PACKET);
  t.same((await again).opening.startup, STARTUP);
});

t.test('gives the last word to a client that was not read any more, and floods on', async (t) => {
  const { guard, secured } = await frontRig(t);
  const handed = guard.next();
  const client = await secured();
  client.write(PACKET);
  const { socket } = await handed;
  client.write(Buffer.alloc(8_000_000));
  await settled();
  socket.end('the last word');
  await settled();
  socket.destroy();
  t.equal((await readToEnd(client).catch((error) => error.code)).toString(), 'the last word');
});

t.test('says nothing in clear where TLS has begun and does not come to its end', async (t) => {
  const { clock, plain } = await frontRig(t);
  for (const behind of ['', 'no TLS at all', '\x16\x03\x01']) {
    const socket = await plain();
    const all = readToEnd(socket).catch((error) => error.code);
    const before = clock.sleptMs.length;
    socket.write(Buffer.from('0000000804d2162f', 'hex'));
    while (!clock.sleptMs.slice(before).includes(LIMITS.tlsMs)) await settled();
    socket.write(behind);
    await settled();
    clock.advance(LIMITS.tlsMs);
    await settled();
    clock.advance(2_000);
    t.notMatch((await all).toString('latin1'), 'SFATAL', behind);
  }
});

t.test('shows another certificate to new sessions, and tells the guard which one each was shown', async (t) => {
  const { front, guard, secured } = await frontRig(t);
  const open = async () => {
    const handed = guard.next();
    const client = await secured();
    client.write(PACKET);
    const shown = client.getPeerX509Certificate();
    return { client, shown, ...(await handed) };
  };
  const before = await open();
  const other = await newServerTls();
  front.show(other.certificatePem, SecretBuffer.take(Buffer.from(other.privateKeyPem)));
  const after = await open();
  t.not(after.shown?.fingerprint256, before.shown?.fingerprint256);
  for (const { shown, opening } of [before, after]) {
    t.same(opening.channelBinding, shown && tlsServerEndPoint(shown));
  }
  const read = readToEnd(before.socket);
  before.client.end('still open');
  t.equal(String(await read), 'still open');
  const stranger = await secured('none');
  stranger.write(PACKET);
  t.match(await fatal(stranger), { C: '28000' }, 'certificates are asked for as before');
});
