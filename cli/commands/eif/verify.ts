/** `acra-enclave eif verify`: recomputes everything that an image claims. */
import { resolve } from 'node:path';
import { Command } from 'commander';
import { EifError, type EifErrorCode } from '../../../eif/errors.ts';
import { readExpectedPcrs } from '../../../eif/expected-pcrs.ts';
import { verifyImage } from '../../../eif/verify.ts';
import { harmlessText } from '../../../runtime/harmless-text.ts';
import { answer, answering } from '../../eif/answer.ts';
import { bold, green, printJson, printLine, printRow } from '../../output.ts';

interface VerifyOptions {
  readonly pcrs?: string;
  readonly json?: boolean;
}

/** Why there is no answer; every other code of an image says what is wrong with it. */
const NO_ANSWER: ReadonlySet<EifErrorCode> = new Set(['EIF_FILE_READ', 'EIF_FILE_CHANGED', 'EIF_PCR_FILE_INVALID']);

const isAnswer = (error: unknown): boolean => error instanceof EifError && !NO_ANSWER.has(error.code);

async function isValidImage(image: string, { json, pcrs }: VerifyOptions): Promise<boolean> {
  const expected = pcrs === undefined ? {} : await readExpectedPcrs(resolve(pcrs));
  const report = await verifyImage(resolve(image), Date.now(), expected);
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

export function verifyCommand(): Command {
  const command = new Command('verify')
    .description('Recompute everything that an image claims.')
    .argument('<image>')
    .option(
      '--pcrs <file>',
      'expected values: measurements.json, or what nitro-cli prints (build-enclave, describe-eif, describe-enclaves)',
    )
    .option('--json', 'print JSON')
    .action((image: string, options: VerifyOptions) => answer(() => isValidImage(image, options), options, isAnswer));
  return answering(command, 'valid', 'not valid, or no enclave image at all');
}
