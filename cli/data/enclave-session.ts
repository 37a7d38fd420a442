/** A session at the enclave's public port, as an application has one: with its certificate, whose keys encrypt. */

import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import type pg from 'pg';
import { identifier } from '../../postgres/sql-names.ts';
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
  readonly schema?: string;
}

function read(option: string, file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (cause) {
    throw new CliError('CLI_OPTION', `cannot read ${option} ${file}`, { cause });
  }
}

/** Of the start-up packet. The guard takes the side of a session from the table that its bare name finds. */
function searchPath(schema: string): string {
  return `-c search_path=${identifier(schema).replace(/[\\\s]/g, '\\$&')}`;
}

/** @throws CliError CLI_OPTION */
export function clientConfig(address: EnclaveAddress): pg.ClientConfig {
  const { host, port, serverName = host, user, database = user, passwordFile, schema } = address;
  const password = readPassword(passwordFile, process.env);
  return {
    host,
    port,
    user,
    database,
    ...(password === undefined ? {} : { password }),
    ...(schema === undefined ? {} : { options: searchPath(schema) }),
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
    const options = [config.options, settings].filter((each) => each !== undefined).join(' ');
    return await connect(options === '' ? config : { ...config, options });
  } catch (cause) {
    if (failureOf(cause) === 'lost') throw cause;
    throw new CliError('CLI_DATABASE', `cannot connect to the enclave at ${config.host}:${config.port}`, { cause });
  }
}
