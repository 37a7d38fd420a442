/** Clients that say too little, too slowly, or too much before a session: each is gone in time, and nobody waits for it. */
import type { Socket } from 'node:net';
import t from 'tap';
import { SSL_REQUEST } from '../../postgres/start-up.ts';
import { type Attacked, attackedStack } from './support/attacked.ts';
import { HonestClient, holdHonest, tellHonest } from './support/honest.ts';
import { holdMemory, residents } from './support/memory.ts';
import { dripping } from './support/pace.ts';
import { dial, drain, frame, RawClient, secure, startupPacket } from './support/raw-client.ts';

/** All limits on the way to a session together (config/ingress.ts, loginMs), and time for a busy machine. */
const MAX_MS = 25_000;

const GSS_REQUEST = Buffer.from('0000000804d21630', 'hex');
const CLIENT_HELLO = Buffer.from(`16030102000100${'01fc0303'}${'00'.repeat(40)}`, 'hex');

/** Begins, and then says nothing more, or a byte a second. @returns a socket that the product is to end */
type Begin = (target: Attacked) => Promise<Socket>;

function afterClear(...parts: readonly Buffer[]): Begin {
  return async (target) => {
    const socket = dial(target);
    for (const part of parts) socket.write(part);
    return socket;
  };
}

function afterTls(...parts: readonly Buffer[]): Begin {
  return async (target) => {
    const socket = await secure(target, target.attacker);
    for (const part of parts) socket.write(part);
    return socket;
  };
}

const STAGES: Readonly<Record<string, Begin>> = {
  'before the first byte': afterClear(),
  'in the request for TLS': afterClear(SSL_REQUEST.subarray(0, 5)),
  'behind the request for TLS': afterClear(SSL_REQUEST),
  'behind a request for GSSAPI': afterClear(GSS_REQUEST),
  'in a ClientHello of direct TLS': afterClear(CLIENT_HELLO.subarray(0, 20)),
  'in a ClientHello behind a request': async (target) => {
    const socket = dial(target);
    socket.once('data', () => socket.write(CLIENT_HELLO.subarray(0, 20)));
    socket.write(SSL_REQUEST);
    return socket;
  },
  'in a request to cancel': afterClear(Buffer.from('0000001004d2162e0000', 'hex')),
  'behind TLS': afterTls(),
  'in the length of the start-up packet': afterTls(startupPacket().subarray(0, 3)),
  'in the start-up packet': afterTls(startupPacket().subarray(0, 20)),
};

t.test('a client that says nothing more, or a byte a second, at every stage', { timeout: 120_000 }, async (t) => {
  const target = await attackedStack(t);
  const honest = await HonestClient.start(t, target);
  const certificate = target.stack.parts.certificates.client.certificatePem;
  const ended = Object.entries(STAGES).flatMap(([stage, begin]) =>
    [false, true].map(async (isDripping) => {
      const socket = await begin(target);
      const beganMs = performance.now();
      if (isDripping) dripping(socket);
      const said = await drain(socket);
      const tookMs = performance.now() - beganMs;
      const name = `${stage}${isDripping ? ', a byte a second' : ''}`;
      t.ok(tookMs < MAX_MS, `${name}: ended after ${(tookMs / 1000).toFixed(1)} s, told ${said.length} bytes`);
    }),
  );
  const session = await RawClient.open(target, target.attacker);
  session.send(frame('Q', '', 1_000_000).subarray(0, 5), Buffer.from('SELECT'));
  await Promise.all(ended);
  t.notOk(session.socket.destroyed, 'in a message of its session it may take its time');
  session.socket.destroy();
  const report = await honest.report();
  tellHonest(t, 'meanwhile', report);
  holdHonest(t, 'meanwhile', report);
  holdMemory(t, 'afterwards', residents(target.stack.enclave, certificate));
  await honest.end();
});

const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex');
const START = startupPacket();
/** What comes first, and what of an answer there may be: an ErrorResponse, and nothing but it. */
const BOMBS: Readonly<Record<string, Begin>> = {
  'a start-up packet of 2 GiB': afterClear(hex('7fffffff 00030000')),
  'a start-up packet of 4 GiB': afterClear(hex('ffffffff 00030000')),
  'a length of 0': afterClear(hex('00000000 04d2162f')),
  'a start-up packet in clear': afterClear(START),
  'protocol 2': afterClear(hex('00000010 00020000 6100 6200 00000000')),
  'a start-up packet stuffed behind the request for TLS': afterClear(Buffer.concat([SSL_REQUEST, START])),
  'a ClientHello stuffed behind the request for TLS': afterClear(Buffer.concat([SSL_REQUEST, CLIENT_HELLO])),
  'two requests for GSSAPI': afterClear(Buffer.concat([GSS_REQUEST, GSS_REQUEST])),
  'a request to cancel with more behind it': afterClear(hex('00000010 04d2162e 00000001 00000002 00')),
  'a header of the PROXY protocol that says another address': afterClear(
    Buffer.concat([hex('0d0a0d0a 000d0a51 5549540a 2111000c 0a000001 0a000002 0001 0002'), SSL_REQUEST]),
  ),
  'the same in the first version': afterClear(Buffer.from('PROXY TCP4 10.0.0.1 10.0.0.2 1 2\r\n'), SSL_REQUEST),
  HTTP: afterClear(Buffer.from('GET / HTTP/1.1\r\n\r\n')),
  'a megabyte of zero bytes': afterClear(Buffer.alloc(1_000_000)),
  'a start-up packet of 2 GiB in TLS': afterTls(hex('7fffffff 00030000')),
  'a start-up packet of length 0 in TLS': afterTls(hex('00000000 00030000')),
  'a request for TLS in TLS': afterTls(SSL_REQUEST),
  'protocol 4 in TLS': afterTls(hex('00000010 00040000 6100 6200 00000000')),
  'a start-up packet without a user': afterTls(hex('00000009 00030000 00')),
  'a user that it may not be': afterTls(startupPacket({ user: 'owner' })),
  'a database that it may not use': afterTls(startupPacket({ database: 'postgres' })),
  'a setting that changes how statements are read': afterTls(startupPacket({ standard_conforming_strings: 'off' })),
  'the same among its options': afterTls(startupPacket({ options: '-c standard_conforming_strings=off' })),
  replication: afterTls(startupPacket({ replication: 'database' })),
  'a megabyte in TLS': afterTls(Buffer.alloc(1_000_000, 0x41)),
};

t.test('a client that says what is no start', { timeout: 120_000 }, async (t) => {
  const target = await attackedStack(t);
  const honest = await HonestClient.start(t, target);
  for (const [name, begin] of Object.entries(BOMBS)) {
    const socket = await begin(target);
    // It goes on whatever it is told.
    socket.write(frame('Q', 'SELECT 1\0'));
    const said = await drain(socket);
    const errorBytes = said[0] === 0x45 ? said.readUInt32BE(1) + 1 : 0;
    t.ok(
      said.length === errorBytes || /^[SN]$/.test(said.toString('latin1')),
      `${name}: an error or nothing, ${said.length} bytes`,
    );
  }
  const report = await honest.report();
  tellHonest(t, 'meanwhile', report);
  holdHonest(t, 'meanwhile', report);
  await honest.end();
});
