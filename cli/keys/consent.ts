/** Whoever signs or loads something has read what it is for: he types so, or says so beforehand. */
import { stderr, stdin } from 'node:process';
import { createInterface } from 'node:readline/promises';
import { CliError } from '../errors.ts';

/** @param nothing what has not happened then. @throws CliError CLI_OPTION */
export async function requireConsent(
  question: string,
  nothing: string,
  { yes }: { readonly yes?: true },
): Promise<void> {
  if (yes) return;
  if (!stdin.isTTY) throw new CliError('CLI_OPTION', `nobody is asked: ${nothing}`, { allowed: '--yes' });
  const questions = createInterface({ input: stdin, output: stderr });
  try {
    const answer = await questions.question(`${question} Type yes: `);
    if (answer.trim() === 'yes') return;
  } finally {
    questions.close();
  }
  throw new CliError('CLI_OPTION', nothing, { allowed: 'yes, typed in full' });
}
