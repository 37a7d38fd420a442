/**
 * RDS in front of a real PostgreSQL: TLS under the database's certificate, and users with the role `rds_iam` log in by a token, in clear,
 * about which IAM is asked (token.ts); all others as the PostgreSQL behind asks them. RDS does it by PAM inside PostgreSQL; here a door
 * before it does, and logs in behind by a password that nobody else needs.
 * Specification: PostgreSQL 18, "Password Authentication", "PAM Authentication"; RDS User Guide, "IAM database authentication".
 */
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { connect as connectTls, createSecureContext, TLSSocket } from 'node:tls';
import { encodeError } from '../../postgres/error-response.ts';
import {
  MAX_MESSAGE_BYTES,
  MAX_UNAUTHENTICATED_BYTES,
  type Message,
  MessageReader,
} from '../../postgres/message-reader.ts';
import { BACKEND, FRONTEND } from '../../postgres/message-types.ts';
import { ScramClient } from '../../postgres/scram/client.ts';
import {
  decodeAuthentication,
  encodeAuthenticationCleartext,
  encodeInitialResponse,
  encodeResponse,
} from '../../postgres/scram/sasl-messages.ts';
import { checkTlsAnswer, SSL_REQUEST } from '../../postgres/start-up.ts';
import { decodeStartupMessage, userOf } from '../../postgres/startup-message.ts';
import { systemRandom } from '../../runtime/random.ts';
import { SecretBuffer } from '../../runtime/secret-buffer.ts';
import { EmulatorError } from '../errors.ts';
import { listenOnLoopback } from '../loopback-http.ts';
import { type TokenRules, tokenFault } from './token.ts';

export interface RdsOptions extends TokenRules {
  readonly certPem: string;
  readonly keyPem: string;
  /** The PostgreSQL behind, with the same certificate. */
  readonly behind: {
    readonly host: string;
    readonly port: number;
    readonly caPem: string;
    readonly serverName: string;
  };
  /** Members of `rds_iam`, with their passwords behind. */
  readonly iamUsers: ReadonlyMap<string, string>;
}

export interface RunningRds {
  readonly host: string;
  readonly port: number;
  /** Why tokens were refused, in order: what RDS's own log says. */
  readonly refusals: readonly string[];
  stop(): Promise<void>;
}

/** One message after the other. */
async function* messagesOf(stream: Duplex, isStartup: boolean): AsyncGenerator<Message> {
  const reader = new MessageReader({ isStartup, maxBytes: isStartup ? MAX_UNAUTHENTICATED_BYTES : MAX_MESSAGE_BYTES });
  for await (const chunk of stream.iterator({ destroyOnReturn: false })) yield* reader.push(chunk as Buffer);
}

async function nextOf(messages: AsyncGenerator<Message>): Promise<Message> {
  const { value, done } = await messages.next();
  if (done) throw new EmulatorError('EMULATOR_LISTEN', 'a peer of the emulated RDS ended in its login');
  return value;
}

async function write(stream: Duplex, frame: Buffer): Promise<void> {
  if (!stream.write(frame)) await once(stream, 'drain');
}

export async function startRds(options: RdsOptions): Promise<RunningRds> {
  const sockets = new Set<Duplex>();
  const refusals: string[] = [];
  const secureContext = createSecureContext({ cert: options.certPem, key: options.keyPem });
  const keep = <Kind extends Duplex>(socket: Kind): Kind => {
    sockets.add(socket);
    return socket.on('error', () => undefined).once('close', () => void sockets.delete(socket)) as Kind;
  };
  const server = createServer((socket) => {
    serve(keep(socket)).catch(() => socket.destroy());
  });

  async function serve(socket: Socket): Promise<void> {
    const requested = await once(socket, 'data');
    if (!SSL_REQUEST.equals(requested[0])) {
      socket.end(encodeError('FATAL', '28000', 'pg_hba.conf rejects connection, no encryption'));
      return;
    }
    socket.write('S');
    const client = keep(new TLSSocket(socket, { isServer: true, secureContext, ALPNProtocols: ['postgresql'] }));
    const messages = messagesOf(client, true);
    const startup = await nextOf(messages);
    const user = startup.frame.readUInt16BE(4) === 3 ? userOf(decodeStartupMessage(startup.frame)) : '';
    const password = options.iamUsers.get(user);
    if (password !== undefined && !(await isLetIn(client, messages, user))) return;
    const behind = await connectBehind();
    behind.write(startup.frame);
    await Promise.race([passAnswers(behind, client, password), passQuestions(messages, behind)]);
    client.end();
    behind.end();
  }

  async function isLetIn(client: Duplex, messages: AsyncGenerator<Message>, user: string): Promise<boolean> {
    client.write(encodeAuthenticationCleartext());
    const { type, body } = await nextOf(messages);
    const token = type === FRONTEND.saslResponse ? body.toString('utf8', 0, body.indexOf(0)) : '';
    const fault = await tokenFault(token, user, options);
    if (fault === undefined) return true;
    refusals.push(fault);
    client.end(encodeError('FATAL', '28000', `PAM authentication failed for user "${user}"`));
    return false;
  }

  async function connectBehind(): Promise<TLSSocket> {
    const { host, port, caPem, serverName } = options.behind;
    const socket = keep(connect({ host, port }));
    socket.write(SSL_REQUEST);
    const [answer] = await once(socket, 'data');
    if (checkTlsAnswer(answer)) throw new EmulatorError('EMULATOR_LISTEN', 'the PostgreSQL behind RDS speaks no TLS');
    const secured = keep(connectTls({ socket, ca: caPem, servername: serverName, ALPNProtocols: ['postgresql'] }));
    await once(secured, 'secureConnect');
    return secured;
  }

  const { host, port } = await listenOnLoopback(server, 0);
  return {
    host,
    port,
    refusals,
    stop: async () => {
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

async function passQuestions(messages: AsyncGenerator<Message>, behind: Duplex): Promise<void> {
  for await (const { frame } of messages) await write(behind, frame);
}

/** @param password undefined: the client answers itself */
async function passAnswers(behind: Duplex, client: Duplex, password: string | undefined): Promise<void> {
  let login =
    password === undefined
      ? undefined
      : new ScramClient({
          password: SecretBuffer.take(Buffer.from(password)),
          random: systemRandom,
          channelBinding: undefined,
        });
  for await (const { type, frame, body } of messagesOf(behind, false)) {
    const step = login && type === BACKEND.authentication ? decodeAuthentication(body) : undefined;
    if (step?.kind === 'sasl' && login) {
      const { mechanism, initialResponse } = login.start(step.mechanisms);
      behind.write(encodeInitialResponse(mechanism, initialResponse));
    } else if (step?.kind === 'sasl-continue' && login) behind.write(encodeResponse(await login.continue(step.data)));
    else if (step?.kind === 'sasl-final' && login) login.finish(step.data);
    else {
      if (step?.kind === 'ok') login = undefined;
      await write(client, frame);
    }
  }
}
