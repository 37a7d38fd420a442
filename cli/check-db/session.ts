/**
 * A session at the database itself, for `guard check-db`: TLS as enclave.yaml measures it, and no password for a server that asks for
 * one that it could read.
 */
import type { EventEmitter } from 'node:events';
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { checkServerIdentity } from 'node:tls';
import pg from 'pg';
import type { CatalogueReader } from '../../acra/catalogue/read.ts';
import type { EnclaveConfig } from '../../config/enclave.ts';
import { ConfigError } from '../../config/errors.ts';
import { CliError } from '../errors.ts';

const CONNECT_TIMEOUT_MS = 20_000;
/** Above the server's own, which it may not keep. */
const ANSWER_TIMEOUT_MS = 180_000;
const MAX_PASSWORD_BYTES = 1_024;
/** Of all answers together; the largest catalogue that is read (acra/catalogue/read.ts) is smaller. */
const MAX_ANSWER_BYTES = 512 * 1024 * 1024;

export interface DatabaseAddress {
  readonly user: string;
  readonly database: string;
  readonly host: string;
  readonly port: number;
  /** Undefined: without TLS. */
  readonly tls: object | undefined;
  readonly password: string | undefined;
}

/** @param folder the measured one. @throws ConfigError CONFIG_FILE_READ */
export function measuredTls(
  { database: { ca, serverName, minTls } }: Pick<EnclaveConfig, 'database'>,
  folder: string,
): object {
  const file = join(folder, ca);
  try {
    return {
      ca: readFileSync(file),
      minVersion: minTls,
      ...(isIP(serverName) === 0 ? { servername: serverName } : {}),
      // The library would ask for the name of the host, whatever is measured.
      checkServerIdentity: (_host: string, certificate: Parameters<typeof checkServerIdentity>[1]) =>
        checkServerIdentity(serverName, certificate),
    };
  } catch (cause) {
    throw new ConfigError('CONFIG_FILE_READ', `cannot read ${file}`, { cause });
  }
}

/** From a file with one line, or PGPASSWORD. @throws CliError CLI_OPTION */
export function readPassword(file: string | undefined, { PGPASSWORD }: NodeJS.ProcessEnv): string | undefined {
  if (file === undefined) return PGPASSWORD;
  try {
    const text = readFileSync(file, 'utf8').replace(/\r?\n$/, '');
    if (text !== '' && !/[\r\n\0]/.test(text) && Buffer.byteLength(text) <= MAX_PASSWORD_BYTES) return text;
  } catch (cause) {
    throw new CliError('CLI_OPTION', `cannot read the password from ${file}`, { cause });
  }
  throw new CliError('CLI_OPTION', `${file} holds no password`, {
    allowed: `one line of at most ${MAX_PASSWORD_BYTES} bytes`,
  });
}

function failure(what: string, cause: unknown): CliError {
  return new CliError('CLI_DATABASE', what, { cause });
}

/** SCRAM shows the password to nobody; a server that asks in another way gets nothing. To be called when the library listens. */
function answerScramOnly(client: pg.Client): void {
  const { connection } = client as unknown as { readonly connection: EventEmitter };
  for (const event of ['authenticationCleartextPassword', 'authenticationMD5Password']) {
    const refuse = () => {
      const refused = new CliError(
        'CLI_DATABASE',
        'the database asks for the password in a way that shows it, and not by SCRAM-SHA-256',
      );
      connection.emit('error', refused);
    };
    connection.removeAllListeners(event);
    connection.on(event, refuse);
  }
}

/** The library keeps whatever a server sends. */
function boundAnswers(client: pg.Client, maxBytes: number): void {
  const { connection } = client as unknown as { readonly connection: { readonly stream: Duplex } };
  const { stream } = connection;
  let sum = 0;
  stream.on('data', (bytes: Buffer) => {
    sum += bytes.length;
    if (sum > maxBytes) stream.destroy(new CliError('CLI_DATABASE', `the database sends more than ${maxBytes} bytes`));
  });
}

export interface DatabaseSession extends CatalogueReader {
  end(): Promise<void>;
}

/** What a login says of itself, and how long it waits for an answer; undefined: as long as it takes. */
export interface LoginOptions {
  readonly applicationName: string;
  readonly answerTimeoutMs: number | undefined;
}

/** A client of the library that has logged in. @throws CliError CLI_DATABASE */
export async function logIn(
  { tls, password, ...address }: DatabaseAddress,
  { applicationName, answerTimeoutMs }: LoginOptions,
): Promise<pg.Client> {
  const missing = () => {
    throw new CliError('CLI_DATABASE', 'the database asks for a password, and none is there');
  };
  const client = new pg.Client({
    ...address,
    ssl: tls ?? false,
    password: password ?? missing,
    enableChannelBinding: true,
    application_name: applicationName,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    ...(answerTimeoutMs === undefined ? {} : { query_timeout: answerTimeoutMs }),
  });
  client.on('error', () => undefined);
  const { host, port, database } = address;
  try {
    const connected = client.connect();
    answerScramOnly(client);
    await connected;
    return client;
  } catch (cause) {
    await client.end().catch(() => undefined);
    throw cause instanceof CliError
      ? cause
      : failure(`cannot connect to database "${database}" at ${host}:${port}`, cause);
  }
}

/** @throws CliError CLI_DATABASE */
export async function connect(address: DatabaseAddress, maxAnswerBytes = MAX_ANSWER_BYTES): Promise<DatabaseSession> {
  const client = await logIn(address, {
    applicationName: 'acra-enclave guard check-db',
    answerTimeoutMs: ANSWER_TIMEOUT_MS,
  });
  boundAnswers(client, maxAnswerBytes);
  return {
    query: async (sql, values = []) => {
      try {
        return (await client.query(sql, [...values])).rows;
      } catch (cause) {
        throw failure('the database does not answer', cause);
      }
    },
    end: () => client.end().catch(() => undefined),
  };
}
