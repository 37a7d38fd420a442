/** A server that speaks PostgreSQL up to the end of a login and tells then, in an error, how it went. */
import { once } from 'node:events';
import type { Server, Socket } from 'node:net';
import { createServer } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { createServer as createTlsServer } from 'node:tls';
import { listenOnLoopback } from '../../../../emulator/loopback-http.ts';
import { encodeError } from '../../../../postgres/error-response.ts';
import type { Message } from '../../../../postgres/message-reader.ts';
import { MAX_UNAUTHENTICATED_BYTES, MessageReader } from '../../../../postgres/message-reader.ts';
import {
  AUTHENTICATION_OK,
  decodeInitialResponse,
  decodeResponse,
  encodeAuthenticationSasl,
  encodeSaslContinue,
  encodeSaslFinal,
} from '../../../../postgres/scram/sasl-messages.ts';
import type { ScramServer } from '../../../../postgres/scram/server.ts';
import { SessionError } from '../../../../postgres/session-error.ts';
import { SSL_REQUEST } from '../../../../postgres/start-up.ts';
import type { SecretBuffer } from '../../../../runtime/secret-buffer.ts';

/** What a client that got in reads. */
export const LOGGED_IN = 'logged in by';

interface FrontOptions {
  readonly certPem: string;
  readonly keyPem: string;
  makeServer(user: string): ScramServer;
  onClientKey?(user: string, clientKey: SecretBuffer): Promise<void>;
}

async function* messagesOf(socket: TLSSocket): AsyncGenerator<Message, undefined> {
  const reader = new MessageReader({ isStartup: true, maxBytes: MAX_UNAUTHENTICATED_BYTES });
  for await (const chunk of socket) yield* reader.push(chunk);
}

function userOf(startup: Message): string {
  const fields = startup.body.toString('latin1', 4).split('\0');
  return fields[fields.indexOf('user') + 1] ?? '';
}

async function logIn(socket: TLSSocket, { makeServer, onClientKey }: FrontOptions): Promise<void> {
  const messages = messagesOf(socket);
  const next = async () => {
    const { value } = await messages.next();
    if (!value) throw new SessionError('08006', 'the client has gone');
    return value;
  };
  const user = userOf(await next());
  const server = makeServer(user);
  socket.write(encodeAuthenticationSasl(server.mechanisms));
  const { mechanism, data } = decodeInitialResponse((await next()).body);
  socket.write(encodeSaslContinue(server.start(mechanism, data)));
  const { serverFinal, clientKey } = server.finish(decodeResponse((await next()).body));
  await onClientKey?.(user, clientKey);
  socket.write(Buffer.concat([encodeSaslFinal(serverFinal), AUTHENTICATION_OK]));
  throw new SessionError('57P01', `${LOGGED_IN} ${mechanism}`);
}

export async function startFront(options: FrontOptions): Promise<{ readonly port: number; readonly server: Server }> {
  const secure = createTlsServer({ cert: options.certPem, key: options.keyPem }, (socket) => {
    socket.on('error', () => undefined);
    logIn(socket, options).catch((error: unknown) => {
      const { sqlState, message } = error instanceof SessionError ? error : new SessionError('XX000', String(error));
      socket.end(encodeError('FATAL', sqlState, message));
    });
  });
  const server = createServer((socket: Socket) => {
    socket.on('error', () => undefined);
    once(socket, 'readable').then(() => {
      if (!socket.read(SSL_REQUEST.length)) return socket.destroy();
      socket.write('S');
      return secure.emit('connection', socket);
    });
  });
  const { port } = await listenOnLoopback(server, 0);
  return { port, server };
}
