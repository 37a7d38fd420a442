/** One connection to a real PostgreSQL over TLS, message by message, up to the end of the login. */
import type { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { connect as connectTls } from 'node:tls';
import type { RunningPostgres } from '../../../../emulator/postgres/server.ts';
import { parseError } from '../../../../postgres/error-response.ts';
import type { Message } from '../../../../postgres/message-reader.ts';
import { MAX_UNAUTHENTICATED_BYTES, MessageReader } from '../../../../postgres/message-reader.ts';
import type { ScramClient } from '../../../../postgres/scram/client.ts';
import {
  decodeAuthentication,
  encodeInitialResponse,
  encodeResponse,
} from '../../../../postgres/scram/sasl-messages.ts';
import { SessionError } from '../../../../postgres/session-error.ts';
import { SSL_REQUEST } from '../../../../postgres/start-up.ts';

interface DatabaseSession {
  readonly certificate: X509Certificate;
  send(message: Buffer): void;
  receive(): Promise<Message>;
  close(): void;
}

function startupMessage(user: string, database: string): Buffer {
  const body = Buffer.from(`user\0${user}\0database\0${database}\0\0`);
  const header = Buffer.alloc(8);
  header.writeUInt32BE(body.length + 8);
  header.writeUInt32BE(3 << 16, 4);
  return Buffer.concat([header, body]);
}

async function* messagesOf(socket: TLSSocket): AsyncGenerator<Message, undefined> {
  const reader = new MessageReader({ isStartup: false, maxBytes: MAX_UNAUTHENTICATED_BYTES });
  for await (const chunk of socket) yield* reader.push(chunk);
}

async function openSession(server: RunningPostgres, user: string): Promise<DatabaseSession> {
  const socket = connect(server.port, server.host);
  socket.write(SSL_REQUEST);
  await once(socket, 'readable');
  socket.read(1);
  const secure = connectTls({ socket, rejectUnauthorized: false });
  await once(secure, 'secureConnect');
  secure.write(startupMessage(user, server.database));
  const messages = messagesOf(secure);
  const certificate = secure.getPeerX509Certificate()!;
  return {
    certificate,
    send: (message) => secure.write(message),
    receive: async () => {
      const { value } = await messages.next();
      if (!value) throw new Error('the database closed the connection');
      if (value.type !== 'E') return value;
      const { sqlState, message } = parseError(value.body);
      throw new SessionError(sqlState, message);
    },
    close: () => secure.destroy(),
  };
}

export interface LoginOutcome {
  readonly offered: readonly string[];
  readonly mechanism: string;
  readonly isProven: boolean;
}

/** @throws SessionError what the database or the client says */
export async function logIn(
  server: RunningPostgres,
  user: string,
  makeClient: (certificate: X509Certificate) => ScramClient,
): Promise<LoginOutcome> {
  const session = await openSession(server, user);
  const client = makeClient(session.certificate);
  const authentication = async () => decodeAuthentication((await session.receive()).body);
  try {
    const offer = await authentication();
    const offered = offer.kind === 'sasl' ? offer.mechanisms : [];
    const { mechanism, initialResponse } = client.start(offered);
    session.send(encodeInitialResponse(mechanism, initialResponse));
    const challenge = await authentication();
    session.send(encodeResponse(await client.continue('data' in challenge ? challenge.data : Buffer.alloc(0))));
    const final = await authentication();
    client.finish('data' in final ? final.data : Buffer.alloc(0));
    const { isProven } = client;
    if ((await authentication()).kind !== 'ok') throw new Error('no AuthenticationOk');
    return { offered, mechanism, isProven };
  } finally {
    client.dispose();
    session.close();
  }
}
