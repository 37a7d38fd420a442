/**
 * How long one client waits for an untouched statement that is asked at successive points of a session's way (architecture.md), from the
 * database to the public port: what a hop adds is the difference to the line before it. Each time one connection, asked again and again, a point
 * after the other in each round.
 */
import { once } from 'node:events';
import { globSync, readFileSync } from 'node:fs';
import { createConnection, type Socket } from 'node:net';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { connect as connectTls } from 'node:tls';
import { DATABASE_NAME } from '../../cli/demo/certificates.ts';
import { APPLICATION, DATABASE } from '../../cli/demo/database.ts';
import type { Stack } from '../../cli/demo/stack.ts';
import { MAX_MESSAGE_BYTES } from '../../postgres/message-reader.ts';
import { QUERY } from '../../postgres/messages.ts';
import { ScramClient } from '../../postgres/scram/client.ts';
import { SSL_REQUEST } from '../../postgres/start-up.ts';
import { encodeStartupMessage } from '../../postgres/startup-message.ts';
import { systemClock } from '../../runtime/clock.ts';
import { systemRandom } from '../../runtime/random.ts';
import { SecretBuffer } from '../../runtime/secret-buffer.ts';
import { enterDatabase } from '../../sessions/edge/enter-database.ts';
import { logIn, scramExchange } from '../../sessions/edge/login.ts';
import { MessageStream } from '../../sessions/message-stream.ts';
import { encodeOpening } from '../../sessions/opening.ts';
import { type LogLine, logLines } from '../../test/support/stack.ts';
import { parseEndpoint, type TcpEndpoint } from '../../wire/endpoint.ts';
import { encodeProxyHeader } from '../../wire/proxy-protocol.ts';
import { median } from '../median.ts';

const ROUNDS = 5;
const TIMES_A_ROUND = 1_000;
const STARTUP = {
  minor: 0,
  parameters: new Map([
    ['user', APPLICATION.user],
    ['database', DATABASE],
  ]),
} as const;
const READY = Buffer.from('Z\0\0\0\u0005I', 'latin1');
const ASKED = QUERY.encode('SELECT id, name FROM patients WHERE id = 1');

async function untilReady(socket: Duplex): Promise<void> {
  let end: Buffer = Buffer.alloc(0);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const gone = () => reject(new Error('the connection ended'));
  const take = (chunk: Buffer) => {
    end = Buffer.concat([end, chunk]).subarray(-READY.length);
    if (end.equals(READY)) resolve();
  };
  socket.on('data', take).once('close', gone).resume();
  await promise.finally(() => socket.off('data', take).off('close', gone));
}

async function connected(socket: Socket): Promise<Socket> {
  await once(socket, 'connect');
  return socket.setNoDelay();
}

function passwordExchange() {
  const password = SecretBuffer.take(Buffer.from(APPLICATION.password));
  return scramExchange(new ScramClient({ password, random: systemRandom, channelBinding: undefined }));
}

/** At the database itself, or at the enclave's way out. */
async function atDatabase(stack: Stack, address: TcpEndpoint): Promise<Duplex> {
  const target = { address, serverName: DATABASE_NAME, caPem: databaseCa(stack), minTls: 'TLSv1.3' } as const;
  const door = { database: target, maxDatabaseMessageBytes: MAX_MESSAGE_BYTES, clock: systemClock };
  const { database } = await enterDatabase(door, STARTUP, [{ begin: passwordExchange }], new AbortController().signal);
  database.socket.removeAllListeners('data');
  return database.socket;
}

const databaseCa = (stack: Stack) => readFileSync(stack.parts.clientFiles.databaseCa, 'utf8');

async function atGuard(path: string): Promise<Duplex> {
  const socket = await connected(createConnection(path));
  socket.write(
    encodeOpening({
      startup: STARTUP,
      certificateEndsMs: Date.now() + 3_600_000,
      channelBinding: null,
      loginMs: 10_000,
    }),
  );
  await untilReady(socket);
  return socket;
}

/** By TLS, with the application's certificate. @param header in front of it all */
async function byTls(stack: Stack, socket: Socket, header?: Buffer): Promise<Duplex> {
  if (header) socket.write(header);
  socket.write(SSL_REQUEST);
  await once(socket, 'data');
  socket.pause();
  const { applicationCaPem: ca, client } = stack.parts.certificates;
  const identity = { cert: client.certificatePem, key: client.privateKeyPem };
  const secured = connectTls({ socket, ca, ...identity, checkServerIdentity: () => undefined });
  await once(secured, 'secureConnect');
  return secured;
}

/** The front asks for no password. */
async function asApplication(secured: Duplex): Promise<Duplex> {
  secured.write(encodeStartupMessage(STARTUP));
  await untilReady(secured);
  return secured;
}

/** acra-server passes on that the database does. */
async function withPassword(secured: Duplex): Promise<Duplex> {
  const stream = new MessageStream(secured, { maxBytes: MAX_MESSAGE_BYTES });
  secured.write(encodeStartupMessage(STARTUP));
  await logIn(stream, passwordExchange(), new AbortController().signal);
  return secured.removeAllListeners('data');
}

/** µs, the middle of so many. */
async function waitUs(socket: Duplex): Promise<number> {
  const tookMs: number[] = [];
  for (let at = 0; at < TIMES_A_ROUND; at += 1) {
    const startedMs = performance.now();
    socket.write(ASKED);
    await untilReady(socket);
    tookMs.push(performance.now() - startedMs);
  }
  return 1_000 * median(tookMs);
}

function socketNamed(stack: Stack, name: string): string {
  const [path = ''] = globSync(`**/${name}`, { cwd: stack.options.root });
  return join(stack.options.root, path);
}

/** @returns a table */
export async function measureHops(stack: Stack, address: TcpEndpoint, bare: TcpEndpoint): Promise<string> {
  const { host, port } = stack.parts.postgres;
  const isWayOut = ({ event, route }: LogLine) => event === 'relay.listening' && route === 'database';
  const wayOut = parseEndpoint(
    String(logLines(stack.enclave, 'supervisor').findLast(isWayOut)?.['listen']),
  ) as TcpEndpoint;
  const dial = (to: TcpEndpoint) => connected(createConnection({ host: to.host, port: to.port }));
  const front = connected(createConnection(socketNamed(stack, 'front.sock')));
  const points: readonly (readonly [string, Duplex])[] = [
    ['the database, by TLS', await atDatabase(stack, { kind: 'tcp', host, port })],
    ["+ the way out: host-proxy and the supervisor's relay", await atDatabase(stack, wayOut)],
    ['+ guard', await atGuard(socketNamed(stack, 'guard.sock'))],
    ['+ front: TLS', await asApplication(await byTls(stack, await front, encodeProxyHeader(undefined)))],
    [
      "+ the way in: host-proxy and the supervisor's relay",
      await asApplication(await byTls(stack, await dial(address))),
    ],
    ['bare acra-server, by TLS', await withPassword(await byTls(stack, await dial(bare)))],
  ];
  const waits = points.map((): number[] => []);
  for (let round = 0; round < ROUNDS; round += 1)
    for (const [at, [, socket]] of points.entries()) waits[at]?.push(await waitUs(socket));
  const lines = ['| asked at | µs | more than before |', '| --- | --- | --- |'];
  const middles = waits.map((each) => Math.round(median(each)));
  for (const [at, [name, socket]] of points.entries()) {
    const more = at === 0 || at === points.length - 1 ? '' : String((middles[at] ?? 0) - (middles[at - 1] ?? 0));
    lines.push(`| ${name} | ${middles[at]} | ${more} |`);
    socket.destroy();
  }
  return lines.join('\n');
}
