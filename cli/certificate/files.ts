/** Files that options name. */
import { readFileSync } from 'node:fs';
import { describeError } from '../../runtime/errors.ts';
import { CliError } from '../errors.ts';

/** A pipe is read as well, so that a key with a password need not be written without: `<(openssl pkey -in ca.key)`. @throws CliError CLI_OPTION */
export function readOptionFile(option: string, file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (cause) {
    throw new CliError('CLI_OPTION', `${option}: ${file} cannot be read: ${describeError(cause)}`, { cause });
  }
}
