/** The packets inside TLS: the one that asks for a session, and requests to cancel. */
import t from 'tap';
import { encodeStartupMessage, MAX_STARTUP_MESSAGE_BYTES } from '../../../postgres/startup-message.ts';
import { Deadline } from '../../../runtime/deadline.ts';
import { readStartup } from '../../../sessions/front/first-packets.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { outcomeOf } from '../support/outcome.ts';
import { readNow, settled, streamPair, writeInPieces } from '../support/streams.ts';

const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex');
const CANCEL = hex('00000010 04d2162e 00000007 01020304');
const LONG_CANCEL = Buffer.concat([hex('0000010c 04d2162e 00000007'), Buffer.alloc(256, 9)]);
const MESSAGE = {
  minor: 2,
  parameters: new Map([
    ['user', 'app'],
    ['database', 'shop'],
    ['_pq_.x', 'y'],
  ]),
};
const STARTUP = encodeStartupMessage(MESSAGE);
const patient = new AbortController().signal;
const allCuts = (bytes: Buffer) => [...bytes.keys()].slice(1);

async function packetOf(bytes: Buffer, cuts: readonly number[] = []) {
  const { own, peer } = streamPair();
  const packet = outcomeOf(readStartup(own, patient));
  await writeInPieces(peer, bytes, cuts);
  return { own, packet: await packet };
}

t.test('takes a start-up packet, however it is cut', async (t) => {
  for (const cuts of [[], ...allCuts(STARTUP).map((cut) => [cut]), allCuts(STARTUP)]) {
    t.same((await packetOf(STARTUP, cuts)).packet, { kind: 'session', startup: MESSAGE });
  }
});

t.test('takes the longest start-up packet that PostgreSQL takes, and none that is longer (08P01)', async (t) => {
  const padding = MAX_STARTUP_MESSAGE_BYTES - STARTUP.length - 'pad\0\0'.length;
  const parameters = new Map([...MESSAGE.parameters, ['pad', 'x'.repeat(padding)]]);
  const longest = encodeStartupMessage({ minor: 2, parameters });
  t.equal(longest.length, MAX_STARTUP_MESSAGE_BYTES);
  t.match((await packetOf(longest)).packet, { kind: 'session' });
  const longer = Buffer.from(longest);
  longer.writeUInt32BE(longest.length + 1);
  t.equal((await packetOf(longer.subarray(0, 8))).packet, '08P01', 'before its bytes have come');
});

t.test('takes requests to cancel inside TLS, with short and long keys', async (t) => {
  for (const packet of [CANCEL, LONG_CANCEL]) {
    for (const cuts of [[], [4], [8], [12], [15], allCuts(packet)]) {
      t.same((await packetOf(packet, cuts)).packet, { kind: 'cancel', packet });
    }
  }
});

t.test('leaves what a client says behind its packet to the session', async (t) => {
  const behind = Buffer.from('Q\0\0\0\x0dSELECT 1\0', 'latin1');
  const { own, packet } = await packetOf(Buffer.concat([STARTUP, behind]));
  t.match(packet, { kind: 'session' });
  t.same(readNow(own), behind);
});

const REFUSED: readonly (readonly [what: string, bytes: Buffer, sqlState: string])[] = [
  ['a request for TLS', hex('00000008 04d2162f'), '08P01'],
  ['a request for GSSAPI', hex('00000008 04d21630'), '08P01'],
  ['a length of 2 GiB', hex('7fffffff 00030000'), '08P01'],
  ['a length of 4 GiB', hex('ffffffff 00030000'), '08P01'],
  ['a length shorter than its header', hex('00000007 00030000'), '08P01'],
  ['a packet without parameters', hex('00000008 00030000'), '08P01'],
  ['a request to cancel with a key of 257 bytes', hex('0000010d 04d2162e'), '08P01'],
  ['protocol 2', hex('00000010 00020000 6100 6200 00000000'), '0A000'],
  ['protocol 4', hex('00000010 00040000 6100 6200 00000000'), '0A000'],
  ['a packet without a user', hex('0000000d 00030000 6100 6200 00'), '28000'],
  ['a packet whose last byte is not zero', hex('0000000d 00030000 75736572 00'), '08P01'],
];
for (const [what, bytes, sqlState] of REFUSED) {
  t.test(`refuses ${what} (${sqlState})`, async (t) => {
    t.equal((await packetOf(bytes)).packet, sqlState);
  });
}

t.test('ends with 08006 when the client goes away, after every byte, and passes no part of a request on', async (t) => {
  for (const packet of [STARTUP, CANCEL, LONG_CANCEL]) {
    for (const length of packet === LONG_CANCEL ? [0, 8, 12, 16, 267] : packet.keys()) {
      const { own, peer } = streamPair();
      const result = outcomeOf(readStartup(own, patient));
      if (length > 0) await writeInPieces(peer, packet.subarray(0, length), []);
      peer.end();
      t.equal(await result, '08006', `${length} bytes`);
    }
  }
});

t.test('ends with 08006 when the connection is cut', async (t) => {
  const { own, peer } = streamPair();
  const result = outcomeOf(readStartup(own, patient));
  await writeInPieces(peer, STARTUP.subarray(0, 9), []);
  own.destroy();
  t.equal(await result, '08006');
});

t.test('waits for the whole packet no longer than it may take, and leaves nothing behind', async (t) => {
  const clock = new FakeClock();
  using deadline = new Deadline(clock, 5_000);
  const { own, peer } = streamPair();
  const result = readStartup(own, deadline.signal);
  for (let at = 0; at < 4; at++) {
    peer.write(STARTUP.subarray(at, at + 1));
    await settled();
    clock.advance(1_249);
  }
  clock.advance(4);
  await t.rejects(result, { message: '5000 ms have passed' }, 'bytes that drip in buy no time');
  for (const event of ['readable', 'close', 'end']) t.equal(own.listenerCount(event), 0, `no listener left: ${event}`);
});
