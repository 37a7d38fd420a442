/** A session at the enclave's public port, as an application has one: with its certificate, whose keys encrypt. */
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import type pg from 'pg';
import { readPassword } from '../check-db/session.ts';
import { CliError } from '../errors.ts';
import { type Connection, connect } from './connection.ts';
import { failureOf } from './failures.ts';

export interface EnclaveAddress {
  readonly host: string;
  readonly port: number;
  readonly serverName?: string;
  readonly user: string;
  readonly database?: string;
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
  readonly passwordFile?: string;
}

function read(option: string, file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (cause) {
    throw new CliError('CLI_OPTION', `cannot read ${option} ${file}`, { cause });
  }
}

/** @throws CliError CLI_OPTION */
export function clientConfig(address: EnclaveAddress): pg.ClientConfig {
  const { host, port, serverName = host, user, database = user, passwordFile } = address;
  const password = readPassword(passwordFile, process.env);
  return {
    host,
    port,
    user,
    database,
    ...(password === undefined ? {} : { password }),
    ssl: {
      ca: read('--ca', address.ca),
      cert: read('--cert', address.cert),
      key: read('--key', address.key),
      ...(isIP(serverName) === 0 ? { servername: serverName } : {}),
    },
  };
}

/** @param settings of the guard's own (docs/sql.md) @throws CliError CLI_DATABASE where another try mends nothing */
export async function openSession(config: pg.ClientConfig, settings?: string): Promise<Connection> {
  try {
    return await connect(settings === undefined ? config : { ...config, options: settings });
  } catch (cause) {
    if (failureOf(cause) === 'lost') throw cause;
    throw new CliError('CLI_DATABASE', `cannot connect to the enclave at ${config.host}:${config.port}`, { cause });
  }
}
