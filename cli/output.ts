/** What the commands print: text for people on a terminal, one JSON document for programs with `--json`. */
import { stderr, stdout } from 'node:process';
import { styleText } from 'node:util';
import { CodedError, describeError } from '../runtime/errors.ts';
import { harmlessText } from '../runtime/harmless-text.ts';
import { reportedError } from '../wire/errors.ts';

type Style = Parameters<typeof styleText>[0];

/** Plain on anything but a terminal, and where NO_COLOR says so (no-color.org). */
const styled = (style: Style) => (text: string) => styleText(style, text, { stream: stdout });

export const bold = styled('bold');
export const dim = styled('dim');
export const green = styled('green');
export const yellow = styled('yellow');
export const red = styled('red');

/** Words of a stranger may be among them: of the parent, of a database, of a file. */
const harmlessLines = (text: string) => text.split('\n').map(harmlessText).join('\n');

const onStderr = (style: Style, text: string) => styleText(style, text, { stream: stderr });

export function printLine(text = ''): void {
  stdout.write(`${text}\n`);
}

const LABEL_WIDTH = 18;

export function printRow(label: string, text: string): void {
  printLine(`${dim(label.padEnd(LABEL_WIDTH))} ${text}`);
}

export function printJson(value: unknown): void {
  stdout.write(`${JSON.stringify(value, null, 2)}\n`);
}

/** Progress goes to standard error, so that a program that reads standard output is not disturbed. Names of strangers may be in it. */
export function progress(text: string): void {
  stderr.write(`${onStderr('dim', harmlessLines(text))}\n`);
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
  stderr.write(
    `${onStderr('red', 'error')}${code === undefined ? '' : ` ${onStderr('bold', harmlessText(code))}`}: ${harmlessLines(describeError(error))}\n`,
  );
  if (reported)
    stderr.write(
      `${onStderr('dim', 'the enclave said')} ${onStderr('bold', harmlessText(reported.code))}: ${harmlessLines(reported.message)}\n`,
    );
  if (advice !== undefined) stderr.write(`${onStderr('dim', 'what to do:')} ${advice}\n`);
}
