/** What the commands print: text for people on a terminal, one JSON document for programs with `--json`. */
import { stderr, stdout } from 'node:process';
import { CodedError, describeError } from '../runtime/errors.ts';
import { reportedError } from '../wire/errors.ts';

const INTERACTIVE = stdout.isTTY === true && process.env['NO_COLOR'] === undefined;

function styled(code: string, text: string): string {
  return INTERACTIVE ? `\u001b[${code}m${text}\u001b[0m` : text;
}

export const bold = (text: string) => styled('1', text);
export const dim = (text: string) => styled('2', text);
export const green = (text: string) => styled('32', text);
export const yellow = (text: string) => styled('33', text);
export const red = (text: string) => styled('31', text);

export function printLine(text = ''): void {
  stdout.write(`${text}\n`);
}

export function printJson(value: unknown): void {
  stdout.write(`${JSON.stringify(value, null, 2)}\n`);
}

/** Progress goes to standard error, so that a program that reads standard output is not disturbed. */
export function progress(text: string): void {
  stderr.write(`${dim(text)}\n`);
}

/** The catalogues of all folders are loaded only when something went wrong. */
export async function adviceFor(code: string): Promise<string | undefined> {
  const { findAdvice } = await import('./error-advice.ts');
  return findAdvice(code);
}

/**
 * Code, message, found, allowed, cause, and what to do. Where the enclave itself said what was wrong, its code comes too, and the
 * advice is that code's: it names the cause, ours only that it ended.
 */
export async function printError(error: unknown, json: boolean): Promise<void> {
  const code = error instanceof CodedError ? error.code : undefined;
  const reported = reportedError(error);
  const advice =
    (reported && (await adviceFor(reported.code))) ??
    (error instanceof CodedError ? (error.action ?? (await adviceFor(error.code))) : undefined);
  if (json) {
    const told = reported ? { code: reported.code, message: reported.message } : null;
    const report = { code: code ?? null, message: describeError(error), action: advice ?? null, reported: told };
    stderr.write(`${JSON.stringify({ error: report })}\n`);
    return;
  }
  stderr.write(`${red('error')}${code === undefined ? '' : ` ${bold(code)}`}: ${describeError(error)}\n`);
  if (reported) stderr.write(`${dim('the enclave said')} ${bold(reported.code)}: ${reported.message}\n`);
  if (advice !== undefined) stderr.write(`${dim('what to do:')} ${advice}\n`);
}
