/**
 * Sessions at successive points of a session's way (architecture.md), from the database to the public port. What a part of the way costs is the
 * difference between with and without it.
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

const STARTUP = {
  minor: 0,
  parameters: new Map([
    ['user', APPLICATION.user],
    ['database', DATABASE],
  ]),
} as const;
const READY = Buffer.from('Z\0\0\0\u0005I', 'latin1');

export async function untilReady(socket: Duplex): Promise<void> {
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

/** The path of one that a running enclave listens on. */
export function socketNamed(stack: Stack, name: string): string {
  const [path = ''] = globSync(`**/${name}`, { cwd: stack.options.root });
  return join(stack.options.root, path);
}

/** In the order of the way: each has what the one before it has, and one part more. */
export const POINTS = ['database', 'way out', 'guard', 'front', 'way in'] as const;
export const BARE_POINT = 'bare acra-server';
export type PointName = (typeof POINTS)[number] | typeof BARE_POINT;

export interface Point {
  readonly name: PointName;
  readonly sessions: readonly Duplex[];
}

/** @param stops what ends the sessions */
export async function openPoints(
  { stack, address, bare }: { readonly stack: Stack; readonly address: TcpEndpoint; readonly bare: TcpEndpoint },
  sessionsEach: number,
  stops: AsyncDisposableStack,
): Promise<Point[]> {
  const { host, port } = stack.parts.postgres;
  const isWayOut = ({ event, route }: LogLine) => event === 'relay.listening' && route === 'database';
  const listening = logLines(stack.enclave, 'supervisor').findLast(isWayOut)?.['listen'];
  const wayOut = parseEndpoint(String(listening)) as TcpEndpoint;
  const dial = (to: TcpEndpoint) => connected(createConnection({ host: to.host, port: to.port }));
  const front = () => connected(createConnection(socketNamed(stack, 'front.sock')));
  const opened: Readonly<Record<PointName, () => Promise<Duplex>>> = {
    database: () => atDatabase(stack, { kind: 'tcp', host, port }),
    'way out': () => atDatabase(stack, wayOut),
    guard: () => atGuard(socketNamed(stack, 'guard.sock')),
    front: async () => asApplication(await byTls(stack, await front(), encodeProxyHeader(undefined))),
    'way in': async () => asApplication(await byTls(stack, await dial(address))),
    [BARE_POINT]: async () => withPassword(await byTls(stack, await dial(bare))),
  };
  const points: Point[] = [];
  for (const [name, open] of Object.entries(opened)) {
    const sessions: Duplex[] = [];
    for (let count = 0; count < sessionsEach; count += 1) {
      const session = await open();
      stops.defer(() => void session.destroy());
      sessions.push(session);
    }
    points.push({ name: name as PointName, sessions });
  }
  return points;
}
