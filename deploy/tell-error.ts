/** How the programs of make tell an error: what it is, and what to do. */
import { describeError } from '../runtime/errors.ts';
import { DEPLOY_ERRORS, DeployError } from './errors.ts';

export async function orTellError(run: () => void | Promise<void>): Promise<void> {
  try {
    await run();
  } catch (error) {
    const advice = error instanceof DeployError ? `\nwhat to do: ${DEPLOY_ERRORS[error.code].action}` : '';
    process.stderr.write(`${describeError(error)}${advice}\n`);
    process.exitCode = 1;
  }
}
