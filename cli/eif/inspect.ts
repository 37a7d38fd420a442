/**
 * Describes, verifies, extracts and compares images. The exit code tells programs what the text tells people: verify and
 * diff end as diff(1) does, with 1 for "no" and 2 when there is no answer.
 */
import { resolve } from 'node:path';
import { toNitroDescription, toTable } from '../../eif/describe.ts';
import { diffImages } from '../../eif/diff.ts';
import { EifError, type EifErrorCode } from '../../eif/errors.ts';
import { type ExpectedPcrs, readExpectedPcrs } from '../../eif/expected-pcrs.ts';
import { extractImage } from '../../eif/extract.ts';
import { verifyImage } from '../../eif/verify.ts';
import { harmlessText } from '../../runtime/harmless-text.ts';
import { bold, dim, green, printError, printJson, printLine } from '../output.ts';
import { untilStopped } from '../until-signal.ts';
import { NO, TROUBLE } from './exit-codes.ts';

interface Options {
  readonly json?: boolean;
}

const LABEL_WIDTH = 18;

/** Why verify has no answer; every other code of an image says what is wrong with it. */
const NO_ANSWER: ReadonlySet<EifErrorCode> = new Set(['EIF_FILE_READ', 'EIF_FILE_CHANGED', 'EIF_PCR_FILE_INVALID']);

const isAnswer = (error: unknown): boolean => error instanceof EifError && !NO_ANSWER.has(error.code);

function printRow(label: string, text: string): void {
  printLine(`${dim(label.padEnd(LABEL_WIDTH))} ${text}`);
}

/** Sets the exit code by what `ask` answers; an error is printed, and is no answer unless `isNo` says so. */
async function answer(
  ask: () => Promise<boolean>,
  options: Options,
  isNo: (error: unknown) => boolean = () => false,
): Promise<void> {
  try {
    if (!(await ask())) process.exitCode = NO;
  } catch (error) {
    await printError(error, options.json === true);
    process.exitCode = isNo(error) ? NO : TROUBLE;
  }
}

export async function describe(image: string, { json }: Options): Promise<void> {
  const report = await verifyImage(resolve(image), Date.now());
  if (json) printJson(toNitroDescription(report));
  else for (const [label, text] of toTable(report)) printRow(label, harmlessText(text));
}

interface VerifyOptions extends Options {
  readonly pcrs?: string;
}

export async function verify(image: string, options: VerifyOptions): Promise<void> {
  await answer(() => isValidImage(image, options), options, isAnswer);
}

async function expectedOf(file: string | undefined): Promise<ExpectedPcrs> {
  return file === undefined ? {} : readExpectedPcrs(resolve(file));
}

async function isValidImage(image: string, { json, pcrs }: VerifyOptions): Promise<boolean> {
  const report = await verifyImage(resolve(image), Date.now(), await expectedOf(pcrs));
  const { isValid, checks, daysLeft } = report;
  if (json) printJson({ isValid, daysLeft: daysLeft ?? null, pcrs: report.pcrs, checks });
  else {
    for (const { name, code, detail } of checks) {
      printRow(name, `${code === undefined ? green('ok') : bold(code)} ${harmlessText(detail)}`);
    }
    printLine(isValid ? green('valid') : bold('not valid'));
  }
  return isValid;
}

export async function extract(image: string, folder: string, { json }: Options): Promise<void> {
  const { sections } = await untilStopped((signal) => extractImage(resolve(image), resolve(folder), signal));
  if (json) printJson({ folder: resolve(folder), sections });
  else printLine(`${green('extracted')} ${sections.length} sections to ${resolve(folder)}`);
}

export async function diff(a: string, b: string, options: Options): Promise<void> {
  await answer(() => areEqualImages(a, b, options), options);
}

async function areEqualImages(a: string, b: string, { json }: Options): Promise<boolean> {
  const differences = await diffImages(resolve(a), resolve(b));
  if (json) printJson(differences.map((each) => ({ ...each, a: each.a ?? null, b: each.b ?? null })));
  else {
    for (const { section, entry, field, a: before, b: after } of differences) {
      const place = [section, entry, field].filter((part) => part !== undefined).join(' ');
      printLine(harmlessText(`${place}: ${before ?? 'nothing'} → ${after ?? 'nothing'}`));
    }
    if (differences.length === 0) printLine(green('equal to the bit'));
  }
  return differences.length === 0;
}
