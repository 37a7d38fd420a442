/** Asks programs for one thing and wants it soon. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const TIMEOUT_MS = 20_000;
const run = promisify(execFile);

/** What it prints, without the end of the line. @throws when it fails, is missing, or takes more than 20 s */
export async function outputOf(
  program: string,
  args: readonly string[],
  environment: NodeJS.ProcessEnv,
  signal: AbortSignal,
): Promise<string> {
  const env = { ...environment, LC_ALL: 'C' };
  const { stdout } = await run(program, [...args], { env, signal, timeout: TIMEOUT_MS });
  return stdout.trimEnd();
}
