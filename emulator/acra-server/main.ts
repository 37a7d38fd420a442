/**
 * The stand-in for acra-server 0.96.0, for laptops without a network and for CI: same flags, keystore, log, exit codes
 * and bytes at rest, and it refuses what acra-server would store in plaintext. It is no product: one thread, no limit of
 * connections, no censor, AcraStructs, Redis, masking or encrypted integers; channel binding has to be off, as with acra-server.
 */

import { readFile } from 'node:fs/promises';
import { createServer, type ListenOptions, type Socket } from 'node:net';
import { createSecureContext } from 'node:tls';
import type { CertificateIdentifier } from '../../acra/client-id.ts';
import { loadEncryptorConfig } from '../../acra/encryptor-config/lint.ts';
import { requireStandInCan } from '../../acra/encryptor-config/stand-in.ts';
import { themis } from '../../acra/keystore/themis.ts';
import { MASTER_KEY_VARIABLE } from '../../acra/server/environment.ts';
import { LOG_CODES } from '../../acra/server/log-codes.ts';
import type { Tables } from '../../acra/statements/scope.ts';
import { StatementJudge } from '../../acra/statements/statement-judge.ts';
import { systemClock } from '../../runtime/clock.ts';
import { describeError } from '../../runtime/errors.ts';
import { systemRandom } from '../../runtime/random.ts';
import { SecretBuffer } from '../../runtime/secret-buffer.ts';
import { parseEndpoint } from '../../wire/endpoint.ts';
import { EmulatorError } from '../errors.ts';
import { type Flags, parseFlags, UnknownFlagError } from './flags.ts';
import { Keyring } from './keyring.ts';
import { logRecord } from './log.ts';
import { type SessionOptions, serveSession } from './session.ts';
import { TokenBook } from './token-book.ts';

/** Of acra-server (acra-server contract 3.3): it ends with 0 when it cannot listen. */
const EXIT_CODES = { stopped: 0, cannotListen: 0, misconfigured: 1, poisoned: 1, unknownFlag: 2 } as const;

function fail(exitCode: number, msg: string, error: unknown, code?: number): never {
  logRecord('error', msg, { ...(code ? { code } : {}), error: describeError(error) });
  process.exit(exitCode);
}

/** One step of the start; a failure ends the process with acra-server's own message and log code for it. */
async function step<Result>(run: Promise<Result>, msg: string, code?: number): Promise<Result> {
  return run.catch((error) => fail(EXIT_CODES.misconfigured, msg, error, code));
}

/** The variable's string cannot be wiped, but nothing started later inherits it. */
async function takeMasterKey(): Promise<SecretBuffer> {
  const text = (process.env[MASTER_KEY_VARIABLE] ?? '').trim();
  delete process.env[MASTER_KEY_VARIABLE];
  const key = Buffer.from(text, 'base64');
  if (text === '' || key.toString('base64') !== text)
    throw new EmulatorError('EMULATOR_STAND_IN', 'master key is empty or no base64');
  return SecretBuffer.take(key);
}

/** In line it would have to read statements with tokens as acra-server does. */
async function loadTables({ encryptor_config_file: file, tls_client_id_from_cert: isInLine }: Flags): Promise<Tables> {
  const keepsTokens = isInLine === 'false';
  const config = loadEncryptorConfig(file, keepsTokens ? 'kept' : 'refused');
  requireStandInCan(config, file, keepsTokens);
  return config.tables;
}

async function loadLegs(flags: Flags): Promise<SessionOptions['legs']> {
  if (flags.tls_client_id_from_cert === 'false') return { clientId: flags.client_id };
  const [ca, cert, key, databaseCa] = await Promise.all([
    readFile(flags.tls_client_ca),
    readFile(flags.tls_client_cert),
    readFile(flags.tls_client_key),
    readFile(flags.tls_database_ca),
  ]);
  createSecureContext({ ca: [ca, databaseCa], cert, key });
  const identifier = flags.tls_identifier_extractor_type as CertificateIdentifier;
  return { client: { ca, cert, key }, database: { ca: databaseCa, serverName: flags.tls_database_sni }, identifier };
}

function poisonHandler(flags: Flags, keyring: Keyring): (() => void) | undefined {
  if (flags.poison_detect_enable !== 'true') return undefined;
  return () => {
    logRecord('warning', 'Recognized poison record', { code: LOG_CODES.poisonRecordSeen });
    if (flags.poison_shutdown_enable !== 'true') return;
    keyring.dispose();
    logRecord('warning', 'Detected poison record, exit', { code: LOG_CODES.poisonRecordShutdown });
    process.exit(EXIT_CODES.poisoned);
  };
}

function listenOptions(address: string): ListenOptions {
  const endpoint = parseEndpoint(address.replace(/(?<=^tcp:.*)\/$/, ''));
  if (endpoint.kind === 'tcp' || endpoint.kind === 'unix') return endpoint;
  throw new EmulatorError('EMULATOR_STAND_IN', `cannot listen on ${address}`);
}

function serve(listen: ListenOptions, options: SessionOptions): void {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket.once('close', () => sockets.delete(socket)));
    void serveSession(socket, options);
  });
  const stop = () => {
    server.close();
    for (const socket of sockets) socket.destroy();
    options.cipher.keyring.dispose();
    logRecord('info', `Server graceful shutdown completed, bye PID: ${process.pid}`);
    process.exit(EXIT_CODES.stopped);
  };
  process.once('SIGTERM', stop).once('SIGINT', stop);
  server.on('error', (error) => fail(EXIT_CODES.cannotListen, "Can't start listen connections", error, 530));
  server.listen(listen, () => logRecord('info', 'Start listening connections'));
}

async function main(flags: Flags): Promise<void> {
  logRecord('warning', 'This is the stand-in for acra-server, not acra-server: never use it for real data');
  const { wrongConfiguration, transportConfiguration } = LOG_CODES;
  const tables = await step(loadTables(flags), "Can't load encryptor config", wrongConfiguration);
  const masterKey = await step(takeMasterKey(), 'Cannot load master key');
  const keyring = await step(Keyring.load(themis, flags.keys_dir, masterKey), 'Failed to cache keystore on start');
  masterKey.dispose();
  const problem = "Configuration error: can't create application TLS config";
  const legs = await step(loadLegs(flags), problem, transportConfiguration);
  const judge = await StatementJudge.start(tables, systemClock);
  const isSearchable = [...tables.values()].some(({ encrypted }) =>
    [...encrypted.values()].some((each) => each.searchable),
  );
  const database = { host: flags.db_host, port: +flags.db_port };
  const cipher = { themis, keyring, random: systemRandom, onPoisonRecord: poisonHandler(flags, keyring) };
  const tokens = new TokenBook(systemRandom);
  serve(listenOptions(flags.incoming_connection_string), { database, legs, judge, isSearchable, cipher, tokens });
}

try {
  await main(parseFlags(process.argv.slice(2)));
} catch (error) {
  const { unknownFlag, misconfigured } = EXIT_CODES;
  fail(error instanceof UnknownFlagError ? unknownFlag : misconfigured, "Can't parse args", error);
}
