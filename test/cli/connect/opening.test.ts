/** What a local client may say first. */
import { once } from 'node:events';
import { createConnection, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { readOpening } from '../../../cli/connect/opening.ts';
import { SessionError } from '../../../postgres/session-error.ts';
import { encodeStartupMessage } from '../../../postgres/startup-message.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const STARTUP = encodeStartupMessage({ minor: 0, parameters: new Map([['user', 'app']]) });
const packet = (code: number, body = Buffer.alloc(0)) => {
  const header = Buffer.alloc(8);
  header.writeUInt32BE(8 + body.length, 0);
  header.writeUInt32BE(code, 4);
  return Buffer.concat([header, body]);
};
const SSL = packet(80877103);
const GSS = packet(80877104);
const CANCEL = packet(80877102, Buffer.alloc(8, 7));
const stateOf = (opening: Promise<unknown>) =>
  opening.then(
    () => 'accepted',
    (error: unknown) => (error instanceof SessionError ? error.sqlState : error),
  );
const signal = () => AbortSignal.timeout(20_000);

async function pair(t: Test): Promise<{ readonly client: Socket; readonly server: Socket }> {
  const path = join(temporaryFolder(t), 's');
  const listener = createServer({ pauseOnConnect: true, allowHalfOpen: true }).listen({ path });
  await once(listener, 'listening');
  const client = createConnection({ path });
  const [server] = (await once(listener, 'connection')) as [Socket];
  t.teardown(() => {
    client.destroy();
    server.destroy();
    listener.close();
  });
  return { client, server };
}

t.test('answers N to requests for encryption, and gives the start-up packet whole', async (t) => {
  const { client, server } = await pair(t);
  const opening = readOpening(server, signal());
  const answers: string[] = [];
  client.on('data', (bytes) => answers.push(bytes.toString()));
  for (const byte of Buffer.concat([GSS, SSL, STARTUP])) client.write(Buffer.of(byte));
  t.same(await opening, { kind: 'startup', packet: STARTUP });
  while (answers.join('').length < 2) await new Promise(setImmediate);
  t.equal(answers.join(''), 'NN');
});

t.test('gives a packet whose sender ends at once, with what came behind it', async (t) => {
  const { client, server } = await pair(t);
  client.end(Buffer.concat([STARTUP, Buffer.from('behind')]));
  t.match(await readOpening(server, signal()), { kind: 'startup' });
  const [rest] = (await once(server.resume(), 'data')) as [Buffer];
  t.equal(rest.toString(), 'behind');
});

t.test('leaves what came behind the packet for the session', async (t) => {
  const { client, server } = await pair(t);
  client.write(Buffer.concat([STARTUP, Buffer.from('behind')]));
  await readOpening(server, signal());
  const [rest] = (await once(server.resume(), 'data')) as [Buffer];
  t.equal(rest.toString(), 'behind');
});

t.test('gives a cancel request whole', async (t) => {
  const { client, server } = await pair(t);
  client.write(CANCEL);
  t.same(await readOpening(server, signal()), { kind: 'cancel', packet: CANCEL });
});

const OTHERS: Readonly<Record<string, Buffer>> = {
  'TLS at once': Buffer.from('16030100f8010000f40303', 'hex'),
  'another program': Buffer.from('GET / HTTP/1.1\r\n\r\n'),
  'a start-up packet that is too long': Buffer.from('7fffffff00030000', 'hex'),
  'another version of the protocol': packet(0x0002_0000, Buffer.alloc(8)),
  'a request for encryption with a body': packet(80877103, Buffer.alloc(4)),
  'a cancel request without a key': packet(80877102, Buffer.alloc(4)),
  'three requests for encryption': Buffer.concat([SSL, GSS, SSL]),
};

for (const [what, bytes] of Object.entries(OTHERS)) {
  t.test(`rejects ${what} (08P01)`, async (t) => {
    const { client, server } = await pair(t);
    client.write(bytes);
    t.equal(await stateOf(readOpening(server, signal())), '08P01');
  });
}

t.test('rejects a client that leaves (08006), and one that is given up', async (t) => {
  const leaving = await pair(t);
  const left = readOpening(leaving.server, signal());
  leaving.client.end(STARTUP.subarray(0, 9));
  t.equal(await stateOf(left), '08006');
  const waiting = await pair(t);
  const controller = new AbortController();
  const opening = readOpening(waiting.server, controller.signal);
  controller.abort(new SessionError('57014', 'given up'));
  t.equal(await stateOf(opening), '57014');
});
