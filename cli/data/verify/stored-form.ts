/**
 * Whether whoever answers at the enclave's port knows `acra_enclave.protected` (acra/own-settings.ts). PostgreSQL takes any setting with a
 * point in its name, so that an enclave that is too old would show protected columns opened, and every value would pass for plaintext.
 */
import { CliError } from '../../errors.ts';
import type { Connection } from '../connection.ts';
import { sqlStateOf } from '../failures.ts';

export const AS_STORED = '-c acra_enclave.protected=stored';
/** Of which a guard that knows the setting says that there is no such value. */
const NO_FORM = '-c acra_enclave.protected=known';
const INVALID_PARAMETER_VALUE = '22023';

/** @param open with settings for the start-up packet @throws CliError CLI_DATA_AS_STORED; what `open` throws otherwise */
export async function requireStoredForm(open: (settings: string) => Promise<Connection>): Promise<void> {
  let connection: Connection;
  try {
    connection = await open(NO_FORM);
  } catch (error) {
    const states = [error, error instanceof Error ? error.cause : undefined].map(sqlStateOf);
    if (states.includes(INVALID_PARAMETER_VALUE)) return;
    throw error;
  }
  await connection.end();
  throw new CliError('CLI_DATA_AS_STORED', 'the enclave does not show protected columns as they are stored');
}
