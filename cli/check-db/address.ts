/** The options by which commands find the database itself, and log in there. */
import type { Command } from 'commander';
import type { EnclaveConfig } from '../../config/enclave.ts';
import { parsePort } from '../option-values.ts';
import { type DatabaseAddress, measuredTls, readPassword } from './session.ts';

export interface AddressOptions {
  readonly database?: string;
  readonly host?: string;
  readonly port: number;
  readonly plaintext?: true;
  readonly passwordFile?: string;
}

/** All but the user. */
export function withAddressOptions(command: Command): Command {
  return command
    .option('--database <name>', 'default: the one of the user’s name')
    .option('--host <host>', 'default: database.serverName of enclave.yaml')
    .option('--port <port>', 'of the database', parsePort, 5432)
    .option('--plaintext', 'without TLS; else TLS as enclave.yaml measures it (database.ca, database.serverName)')
    .option('--password-file <file>', 'a file with the password in one line; default: the environment’s PGPASSWORD');
}

/** @param folder the measured one. @throws ConfigError, CliError */
export function addressOf(
  user: string,
  options: AddressOptions,
  config: Pick<EnclaveConfig, 'database'>,
  folder: string,
): DatabaseAddress {
  const { database = user, host = config.database.serverName, port, plaintext } = options;
  const tls = plaintext ? undefined : measuredTls(config, folder);
  return { user, database, host, port, tls, password: readPassword(options.passwordFile, process.env) };
}
