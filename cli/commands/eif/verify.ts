/** `acra-enclave eif verify`: recomputes everything that an image claims. */
import { resolve } from 'node:path';
import { Command } from 'commander';
import { anyEnclaveSchema, isApp } from '../../../config/any-enclave.ts';
import type { EnclaveConfig } from '../../../config/enclave.ts';
import { ConfigError } from '../../../config/errors.ts';
import { guardWarnings } from '../../../config/guard.ts';
import { readConfig } from '../../../config/load.ts';
import { EifError, type EifErrorCode } from '../../../eif/errors.ts';
import { readExpectedPcrs } from '../../../eif/expected-pcrs.ts';
import type { EifImage } from '../../../eif/format/reader.ts';
import { readMeasuredFile } from '../../../eif/measured-file.ts';
import { verifyImage } from '../../../eif/verify.ts';
import { harmlessText } from '../../../runtime/harmless-text.ts';
import { ENCLAVE_FOLDER } from '../../../wire/image-layout.ts';
import { answer, answering } from '../../eif/answer.ts';
import { bold, green, printJson, printLine, printRow, yellow } from '../../output.ts';

interface VerifyOptions {
  readonly pcrs?: string;
  readonly json?: boolean;
}

/** Why there is no answer; every other code of an image says what is wrong with it. */
const NO_ANSWER: ReadonlySet<EifErrorCode> = new Set(['EIF_FILE_READ', 'EIF_FILE_CHANGED', 'EIF_PCR_FILE_INVALID']);

const isAnswer = (error: unknown): boolean => error instanceof EifError && !NO_ANSWER.has(error.code);

/** As the measured configuration in the image says; null where there is none that can be read, or no guard. */
async function guardIn(image: EifImage): Promise<Pick<EnclaveConfig['guard'], 'mode' | 'relations'> | null> {
  const name = `${ENCLAVE_FOLDER}/enclave.yaml`;
  const file = await readMeasuredFile(image, name);
  if (file === undefined) return null;
  try {
    const config = readConfig(anyEnclaveSchema, file, name);
    if (isApp(config)) return null;
    const { guard, ingress } = config;
    return ingress.tls === 'terminate' ? { mode: guard.mode, relations: guard.relations } : null;
  } catch (error) {
    if (error instanceof ConfigError) return null;
    throw error;
  }
}

async function isValidImage(image: string, { json, pcrs }: VerifyOptions): Promise<boolean> {
  const expected = pcrs === undefined ? {} : await readExpectedPcrs(resolve(pcrs));
  const report = await verifyImage(resolve(image), Date.now(), expected);
  const { isValid, checks, daysLeft } = report;
  const guard = await guardIn(report.image);
  if (json) printJson({ isValid, daysLeft: daysLeft ?? null, pcrs: report.pcrs, checks, guard });
  else {
    for (const { name, code, detail } of checks) {
      printRow(name, `${code === undefined ? green('ok') : bold(code)} ${harmlessText(detail)}`);
    }
    if (guard) printRow('guard', `mode ${guard.mode}, relations ${guard.relations}`);
    for (const warning of guard ? guardWarnings(guard) : []) printLine(`${yellow('warning')} ${warning}`);
    printLine(isValid ? green('valid') : bold('not valid'));
  }
  return isValid;
}

export function verifyCommand(): Command {
  const command = new Command('verify')
    .description('Recompute everything that an image claims, and tell what its guard is configured to do.')
    .argument('<image>')
    .option(
      '--pcrs <file>',
      'expected values: measurements.json, or what nitro-cli prints (build-enclave, describe-eif, describe-enclaves)',
    )
    .option('--json', 'print JSON')
    .action((image: string, options: VerifyOptions) => answer(() => isValidImage(image, options), options, isAnswer));
  return answering(command, 'valid', 'not valid, or no enclave image at all');
}
