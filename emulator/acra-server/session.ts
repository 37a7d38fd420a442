/**
 * One client's session: TLS on both legs, unless it is an engine's (acra-server contract 0.3, 3.7). The client's SSLRequest goes on to the
 * database, which must answer S; acra-server would go on in clear there.
 */
import { on, once } from 'node:events';
import { connect, isIP, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { connect as connectTls, createServer as createTlsServer, type TLSSocket } from 'node:tls';
import { type CertificateIdentifier, clientIdFromCertificate } from '../../acra/client-id.ts';
import { Conversation } from '../../acra/conversation/conversation.ts';
import type { Judge } from '../../acra/conversation/judging.ts';
import { LOG_CODES } from '../../acra/server/log-codes.ts';
import { encodeError } from '../../postgres/error-response.ts';
import {
  MAX_MESSAGE_BYTES,
  MAX_UNAUTHENTICATED_BYTES,
  type Message,
  MessageReader,
} from '../../postgres/message-reader.ts';
import { BACKEND } from '../../postgres/message-types.ts';
import { SessionError } from '../../postgres/session-error.ts';
import {
  checkTlsAnswer,
  classifyStartup,
  MAX_STARTUP_BYTES,
  SSL_REQUEST,
  startupError,
  TLS_ANSWERS,
} from '../../postgres/start-up.ts';
import { errorCode } from '../../runtime/errors.ts';
import { Cipher, type CipherOptions } from './cipher.ts';
import { logRecord } from './log.ts';
import { CipherProtector } from './protector.ts';
import type { TokenBook } from './token-book.ts';

/** From accept until both TLS sessions stand. */
const HANDSHAKE_TIMEOUT_MS = 30_000;
const REFUSED_BY = 'refused by the acra-server stand-in';
/** For the client to read the last message. */
const FAREWELL_TIMEOUT_MS = 2_000;
/** libpq from 17 on insists on its protocol name. */
const TLS_OPTIONS = { minVersion: 'TLSv1.2', ALPNProtocols: ['postgresql'] } as const;
/** How acra-server's log names the step that failed. */
const STEPS = {
  connect: { msg: "Can't connect to db", code: LOG_CODES.databaseUnreachable },
  request: { msg: "Can't process SSL request", code: 584 },
  client: { msg: 'Error in tls handshake with client', code: 584 },
  database: { msg: "Can't initialize tls connection with db", code: 584 },
  converse: { msg: 'Unexpected error', code: 1100 },
} as const;

/** Codes of errors that a connection ends with; all others are ours. */
const DEPARTURES = /^(E[A-Z]+|ABORT_ERR|ERR_STREAM_\w+|ERR_SSL_\w+)$/;

/** TLS on both legs, and the client's certificate says whose session it is. */
interface TlsLegs {
  readonly client: { readonly ca: Buffer; readonly cert: Buffer; readonly key: Buffer };
  readonly database: { readonly ca: Buffer; readonly serverName: string };
  readonly identifier: CertificateIdentifier;
}

export interface SessionOptions {
  readonly database: { readonly host: string; readonly port: number };
  /** `clientId`: both legs in clear, as an engine. */
  readonly legs: TlsLegs | { readonly clientId: string };
  readonly judge: Judge;
  /** Whether any column of the configuration is. */
  readonly isSearchable: boolean;
  readonly tokens: TokenBook;
  readonly cipher: CipherOptions;
}

/** The client's first packet, as soon as it is complete. */
async function readRequest(client: Socket, signal: AbortSignal) {
  let bytes: Buffer = Buffer.alloc(0);
  // One listener for all events: a new one would be told at once of bytes that are too few, again and again.
  const events = on(client, 'readable', { signal });
  for (;;) {
    const verdict = classifyStartup(bytes);
    if (verdict.kind === 'refused') throw startupError(verdict.reason);
    if (verdict.kind !== 'more') return { kind: verdict.kind, bytes };
    const chunk: Buffer | null = client.read(
      Math.min(client.readableLength, MAX_STARTUP_BYTES - bytes.length) || undefined,
    );
    if (chunk) bytes = Buffer.concat([bytes, chunk]);
    else await events.next();
  }
}

/** @returns false when all is done: the request was to cancel another session's statement */
async function requestTls(client: Socket, database: Socket, signal: AbortSignal): Promise<boolean> {
  let request = await readRequest(client, signal);
  if (request.kind === 'gss-request') {
    client.write(Buffer.of(TLS_ANSWERS.refused));
    request = await readRequest(client, signal);
    if (request.kind === 'gss-request') throw startupError('second-gss-request');
  }
  if (request.kind === 'cancel-request') {
    database.end(request.bytes);
    await once(database.resume(), 'close');
    return false;
  }
  database.write(SSL_REQUEST);
  const answers = on(database, 'readable', { signal });
  let answer: Buffer | null = database.read(1);
  while (answer === null) {
    await answers.next();
    answer = database.read(1);
  }
  if (checkTlsAnswer(answer)) throw new SessionError('08006', 'the database does not offer TLS');
  if (client.readableLength + database.readableLength > 0) throw startupError('bytes-behind-request');
  return true;
}

/** Only tls.Server enforces client certificates; so each socket gets one of its own. */
async function acceptTls(socket: Socket, options: TlsLegs['client'], signal: AbortSignal): Promise<TLSSocket> {
  const server = createTlsServer({ ...options, ...TLS_OPTIONS, requestCert: true, rejectUnauthorized: true });
  const failed = once(server, 'tlsClientError', { signal }).then(([error]) => Promise.reject(error));
  const accepted = once(server, 'secureConnection', { signal });
  socket.write(Buffer.of(TLS_ANSWERS.accepted));
  server.emit('connection', socket);
  const [secured] = await Promise.race([accepted, failed]);
  return secured;
}

async function connectDatabaseTls(
  socket: Socket,
  options: TlsLegs['database'],
  signal: AbortSignal,
): Promise<TLSSocket> {
  const { ca, serverName: host } = options;
  const secured = connectTls({ socket, ca, host, ...(isIP(host) ? {} : { servername: host }), ...TLS_OPTIONS });
  await once(secured, 'secureConnect', { signal });
  return secured;
}

async function pump(
  source: Duplex,
  sink: Duplex,
  reader: MessageReader,
  translate: (messages: readonly Message[]) => Promise<readonly Buffer[]>,
): Promise<void> {
  const sinkClosed = new AbortController();
  sink.once('close', () => sinkClosed.abort());
  for await (const chunk of source.iterator({ destroyOnReturn: false })) {
    const translated = await translate([...reader.push(chunk)]);
    if (!sink.write(Buffer.concat(translated))) await once(sink, 'drain', { signal: sinkClosed.signal });
  }
  sink.end();
}

function isAuthenticationOk({ type, body }: Message): boolean {
  return type === BACKEND.authentication && body.length === 4 && body.readInt32BE() === 0;
}

async function converse(client: Duplex, database: Duplex, conversation: Conversation): Promise<void> {
  const requests = new MessageReader({ isStartup: true, maxBytes: MAX_UNAUTHENTICATED_BYTES });
  const answers = new MessageReader({ isStartup: false, maxBytes: MAX_MESSAGE_BYTES });
  const fromDatabase = (all: readonly Message[]) => {
    if (all.some(isAuthenticationOk)) requests.maxBytes = MAX_MESSAGE_BYTES;
    return conversation.fromDatabase(all);
  };
  const fromClient = async (all: readonly Message[]) => {
    const sent: Buffer[] = [];
    for (const message of all) sent.push(await conversation.fromClient(message));
    return sent;
  };
  await Promise.all([pump(client, database, requests, fromClient), pump(database, client, answers, fromDatabase)]);
}

/** Tells log and client why the session ends; a peer that just went away during the conversation is no failure. */
function reportFailure(step: keyof typeof STEPS, client: Duplex, error: unknown): void {
  const system = errorCode(error);
  if (step === 'converse' && DEPARTURES.test(system ?? '')) return;
  const { msg, code } = STEPS[step];
  const reason = error instanceof SessionError ? error : new SessionError('08006', msg);
  logRecord('error', msg, { code, error: system ?? reason.message });
  if (step !== 'connect' && client.writable) client.write(encodeError('FATAL', reason.sqlState, reason.message));
}

/** Serves the socket until either side ends. Never rejects. */
export async function serveSession(socket: Socket, options: SessionOptions): Promise<void> {
  const ended = new AbortController();
  const { signal } = ended;
  const deadline = setTimeout(() => ended.abort(), HANDSHAKE_TIMEOUT_MS);
  const database = connect(options.database);
  const watch = (each: Socket) => each.on('error', () => undefined).once('close', () => ended.abort());
  for (const each of [socket, database]) watch(each.setNoDelay());
  let client: Duplex = socket;
  let step: keyof typeof STEPS = 'connect';
  const secure = async ({ client: ownTls, database: databaseTls, identifier }: TlsLegs) => {
    step = 'request';
    if (!(await requestTls(socket, database, signal))) return undefined;
    step = 'client';
    const secured = await acceptTls(socket, ownTls, signal);
    client = watch(secured);
    const clientId = clientIdFromCertificate(secured.getPeerX509Certificate()?.toString() ?? '', identifier);
    step = 'database';
    return { clientId, upstream: watch(await connectDatabaseTls(database, databaseTls, signal)) };
  };
  try {
    await once(database, 'connect', { signal });
    const { legs } = options;
    const ends = 'clientId' in legs ? { ...legs, upstream: database } : await secure(legs);
    if (!ends) return;
    clearTimeout(deadline);
    step = 'converse';
    const protector = new CipherProtector(
      new Cipher(options.cipher, ends.clientId),
      options.isSearchable,
      options.tokens,
    );
    const conversation = new Conversation({ judge: options.judge, protector, refusedBy: REFUSED_BY });
    await converse(client, ends.upstream, conversation);
  } catch (error) {
    reportFailure(step, client, error);
  } finally {
    clearTimeout(deadline);
    database.destroy();
    const farewell = setTimeout(() => client.destroy(), FAREWELL_TIMEOUT_MS).unref();
    client.once('close', () => clearTimeout(farewell)).end();
    client.resume();
  }
}
