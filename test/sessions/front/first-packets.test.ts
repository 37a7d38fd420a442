/** What a client says before its session: every packet, however it is cut, late, early or not at all. */
import t from 'tap';
import { SessionError } from '../../../postgres/session-error.ts';
import { encodeStartupMessage } from '../../../postgres/startup-message.ts';
import { Deadline } from '../../../runtime/deadline.ts';
import { readRequest } from '../../../sessions/front/first-packets.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { outcomeOf } from '../support/outcome.ts';
import { readNow, settled, streamPair, writeInPieces } from '../support/streams.ts';

const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex');
const SSL = hex('00000008 04d2162f');
const GSS = hex('00000008 04d21630');
const CANCEL = hex('00000010 04d2162e 00000007 01020304');
const LONG_CANCEL = Buffer.concat([hex('0000010c 04d2162e 00000007'), Buffer.alloc(256, 9)]);
const CLIENT_HELLO = hex('160301 0200 01 0001fc 0303');
const STARTUP = encodeStartupMessage({
  minor: 2,
  parameters: new Map([
    ['user', 'app'],
    ['_pq_.x', 'y'],
  ]),
});
const patient = new AbortController().signal;
const patience = { firstByte: patient, onFirstByte: () => patient };

const allCuts = (bytes: Buffer) => [...bytes.keys()].slice(1);
/** At every single place, and at all at once. */
const waysToCut = (bytes: Buffer) => [[], ...allCuts(bytes).map((cut) => [cut]), allCuts(bytes)];

async function requestOf(bytes: Buffer, cuts: readonly number[] = []) {
  const { own, peer } = streamPair();
  const request = outcomeOf(readRequest(own, patience));
  await writeInPieces(peer, bytes, cuts);
  return { own, peer, request: await request, told: readNow(peer).toString() };
}

t.test('answers a request for TLS with S, however it is cut', async (t) => {
  for (const cuts of waysToCut(SSL)) {
    t.match(await requestOf(SSL, cuts), { request: { kind: 'tls', isDirect: false }, told: 'S' });
  }
});

t.test('answers a request for GSSAPI with N once, then goes on to TLS', async (t) => {
  for (const cuts of waysToCut(GSS)) {
    const { own, peer } = streamPair();
    const request = outcomeOf(readRequest(own, patience));
    await writeInPieces(peer, GSS, cuts);
    t.equal(readNow(peer).toString(), 'N');
    await writeInPieces(peer, SSL, cuts);
    t.match(await request, { kind: 'tls', isDirect: false });
    t.equal(readNow(peer).toString(), 'S');
  }
});

t.test('takes a request to cancel behind the answer to one for GSSAPI', async (t) => {
  const { own, peer } = streamPair();
  const request = outcomeOf(readRequest(own, patience));
  await writeInPieces(peer, GSS, []);
  await writeInPieces(peer, CANCEL, []);
  t.same(await request, { kind: 'cancel', packet: CANCEL });
});

t.test('refuses a second request for GSSAPI (08P01)', async (t) => {
  const { own, peer } = streamPair();
  const request = outcomeOf(readRequest(own, patience));
  await writeInPieces(peer, GSS, []);
  await writeInPieces(peer, GSS, []);
  t.equal(await request, '08P01');
});

t.test('leaves TLS at once to the handshake, byte for byte', async (t) => {
  for (const cuts of waysToCut(CLIENT_HELLO)) {
    const { own, request, told } = await requestOf(CLIENT_HELLO, cuts);
    t.same(request, { kind: 'tls', isDirect: true });
    t.equal(told, '', 'nobody has asked');
    t.same(readNow(own), CLIENT_HELLO);
  }
});

t.test('takes requests to cancel in clear, with short and long keys, and answers nothing', async (t) => {
  for (const packet of [CANCEL, LONG_CANCEL]) {
    for (const cuts of [[], [4], [8], [12], [15], allCuts(packet)]) {
      t.match(await requestOf(packet, cuts), { request: { kind: 'cancel', packet }, told: '' });
    }
  }
});

const REFUSED: readonly (readonly [what: string, bytes: Buffer, sqlState: string])[] = [
  ['a start-up packet in clear', STARTUP, '28000'],
  ['a start-up packet of protocol 2', hex('00000010 00020000 6100 6200 00000000'), '08P01'],
  ['a byte behind a request for TLS', Buffer.concat([SSL, hex('16')]), '08P01'],
  ['a ClientHello behind a request for TLS', Buffer.concat([SSL, CLIENT_HELLO]), '08P01'],
  ['a request for TLS behind one for GSSAPI', Buffer.concat([GSS, SSL]), '08P01'],
  ['bytes behind a request to cancel', Buffer.concat([CANCEL, hex('00')]), '08P01'],
  ['bytes behind the longest request to cancel', Buffer.concat([LONG_CANCEL, hex('00')]), '08P01'],
  [
    'a request to cancel with a key of 257 bytes',
    Buffer.concat([hex('0000010d 04d2162e'), Buffer.alloc(261)]),
    '08P01',
  ],
  ['a request to cancel with a key of 3 bytes', hex('0000000f 04d2162e 00000007 010203'), '08P01'],
  ['a request for TLS of another length', hex('00000009 04d2162f 00'), '08P01'],
  ['a length of 2 GiB', hex('7fffffff 00030000'), '28000'],
  ['HTTP', Buffer.from('GET / HTTP/1.1\r\n\r\n'), '08P01'],
  ['zeroes', Buffer.alloc(64), '08P01'],
];
for (const [what, bytes, sqlState] of REFUSED) {
  t.test(`refuses ${what} (${sqlState}), and does not answer as a server with TLS does`, async (t) => {
    t.match(await requestOf(bytes), { request: sqlState, told: '' });
  });
}

t.test('says to a client in clear what to do', async (t) => {
  const { own, peer } = streamPair();
  peer.write(STARTUP);
  await t.rejects(readRequest(own, patience), { message: /sslmode=verify-full/ });
});

t.test('ends with 08006 when the client goes away, after every byte', async (t) => {
  for (const packet of [SSL, GSS, CANCEL, LONG_CANCEL]) {
    for (const length of packet === LONG_CANCEL ? [0, 8, 12, 267] : packet.keys()) {
      const { own, peer } = streamPair();
      const request = outcomeOf(readRequest(own, patience));
      if (length > 0) await writeInPieces(peer, packet.subarray(0, length), []);
      peer.end();
      t.equal(await request, '08006', `${length} bytes`);
    }
  }
});

t.test('waits for the first byte and for the rest as long as each may take', async (t) => {
  const clock = new FakeClock();
  const late = (what: string) => () => new SessionError('08006', what);
  using first = new Deadline(clock, 5_000, undefined, late('first'));
  const { own, peer } = streamPair();
  const silent = readRequest(own, { firstByte: first.signal, onFirstByte: () => patient });
  clock.advance(5_000);
  await t.rejects(silent, { message: 'first' });
  using rest = new Deadline(clock, 3_000, undefined, late('rest'));
  const slow = readRequest(own, { firstByte: patient, onFirstByte: () => rest.signal });
  await writeInPieces(peer, SSL.subarray(0, 7), []);
  clock.advance(2_999);
  await settled();
  peer.write(GSS.subarray(7));
  await settled();
  t.equal(readNow(peer).toString(), 'N', 'in time');
  await writeInPieces(peer, SSL.subarray(0, 7), []);
  clock.advance(1);
  await t.rejects(slow, { message: 'rest' }, 'the time is for all that comes before TLS');
  for (const event of ['readable', 'close', 'end']) t.equal(own.listenerCount(event), 0, `no listener left: ${event}`);
});
