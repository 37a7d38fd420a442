/** `acra-enclave measurements verify`: whether everybody whose word is demanded has signed, and still stands to it. */
import { Command } from 'commander';
import { MeasurementsError, type MeasurementsErrorCode } from '../../../attestation/published/errors.ts';
import { examinePublished } from '../../../attestation/published/read.ts';
import { answer, answering } from '../../eif/answer.ts';
import { claimsJson, contentJson, printClaims, printContent } from '../../measurements/describe.ts';
import { readMeasurements, readRequiredKeys } from '../../measurements/files.ts';
import { collect, parseDuration } from '../../option-values.ts';
import { bold, green, printJson, printLine } from '../../output.ts';

interface VerifyOptions {
  readonly require: readonly string[];
  readonly maxAge?: number;
  readonly json?: boolean;
}

/** Other codes of the file say what is wrong with it, which is an answer. */
const NO_ANSWER: ReadonlySet<MeasurementsErrorCode> = new Set([
  'MEASUREMENTS_FILE',
  'MEASUREMENTS_KEY_INVALID',
  'MEASUREMENTS_KEY_ALGORITHM',
  'MEASUREMENTS_KEY_TWICE',
]);

const isAnswer = (error: unknown): boolean => error instanceof MeasurementsError && !NO_ANSWER.has(error.code);

async function isValid(file: string, { require, maxAge, json }: VerifyOptions): Promise<boolean> {
  const keys = await readRequiredKeys(require);
  const demands = { require: keys, maxAgeMs: maxAge, nowMs: Date.now() };
  const report = examinePublished(await readMeasurements(file), demands);
  const valid = report.claims.every(({ status }) => status !== 'fail');
  if (json) printJson({ isValid: valid, claims: claimsJson(report.claims), measurements: contentJson(report.file) });
  else {
    printClaims(report.claims);
    if (valid) printContent(report.file);
    printLine(valid ? green('valid') : bold('not valid: do not believe what the file says'));
  }
  return valid;
}

export function verifyCommand(): Command {
  const command = new Command('verify')
    .description('Verify signed measurements: each demanded key must have signed them, and they must be of use still.')
    .argument('<file>', 'what `measurements sign` wrote')
    .requiredOption(
      '--require <file>',
      'PEM of a public key that must have signed; may be given several times',
      collect,
    )
    .option('--max-age <duration>', 'how long ago they may have been issued, such as 30d', parseDuration)
    .option('--json', 'print JSON')
    .action((file: string, options: VerifyOptions) => answer(() => isValid(file, options), options, isAnswer));
  return answering(command, 'valid', 'not valid');
}
