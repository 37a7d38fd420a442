/** The options of commands that go through the enclave, as an application does. */
import type { Command } from 'commander';
import { parsePort } from '../option-values.ts';

/** @param table what the option --table says */
export function addressOptions(command: Command, table: string): Command {
  return command
    .requiredOption(
      '--enclave <folder>',
      'the measured folder, whose enclave.yaml names the column in guard.migrations',
    )
    .option('--table <name>', table)
    .option('--schema <name>', 'where several schemas have the table')
    .requiredOption('--host <host>', 'of the enclave’s public port')
    .option('--port <port>', 'the enclave’s public port', parsePort, 5432)
    .option('--server-name <name>', 'in the enclave’s certificate; default: the host')
    .requiredOption('--ca <file>', 'CA of the enclave’s certificate')
    .requiredOption('--cert <file>', 'certificate of the application whose keys encrypt')
    .requiredOption('--key <file>', 'its private key')
    .requiredOption('--user <name>', 'at the database; it owns the table')
    .option('--database <name>', 'default: the one of the user’s name')
    .option('--password-file <file>', 'where clients log in themselves; default: the environment’s PGPASSWORD');
}
