/** How the programs of make tell an error, in the form of the command: its code, what it is, and what to do. */
import { MEASUREMENTS_ERRORS } from '../attestation/published/errors.ts';
import { EIF_BUILD_ERRORS } from '../eif/build-errors.ts';
import type { ErrorCatalogue } from '../runtime/errors.ts';
import { CodedError, describeError } from '../runtime/errors.ts';
import { DEPLOY_ERRORS } from './errors.ts';

/** Of the folders that these programs call. */
const CATALOGUE: ErrorCatalogue = { ...DEPLOY_ERRORS, ...MEASUREMENTS_ERRORS, ...EIF_BUILD_ERRORS };

export async function orTellError(run: () => void | Promise<void>): Promise<void> {
  try {
    await run();
  } catch (error) {
    const code = error instanceof CodedError ? ` ${error.code}` : '';
    const advice = error instanceof CodedError ? (error.action ?? CATALOGUE[error.code]?.action) : undefined;
    const action = advice === undefined ? '' : `\nwhat to do: ${advice}`;
    process.stderr.write(`error${code}: ${describeError(error)}${action}\n`);
    process.exitCode = 1;
  }
}
