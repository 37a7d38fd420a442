/** `acra-enclave keys audit verify`: whether the log of key operations holds, and where it first does not. */
import { readFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { Command } from 'commander';
import { checkDemands } from '../../../../attestation/verify/demands.ts';
import { hostProxySchema, keysFolderOf } from '../../../../config/host-proxy.ts';
import { loadConfig } from '../../../../config/load.ts';
import { AUDIT_FILE } from '../../../../host-proxy/keys/audit-log.ts';
import { KeyFolder } from '../../../../host-proxy/keys/key-folder.ts';
import { type AuditReport, verifyAudit } from '../../../../host-proxy/keys/verify-audit.ts';
import { harmlessText } from '../../../../runtime/harmless-text.ts';
import { toPcrIndex } from '../../../../wire/brands.ts';
import { CliError } from '../../../errors.ts';
import { printTrust } from '../../../keys/print-trust.ts';
import { readExpectedMeasurements } from '../../../measurements/files.ts';
import { collect } from '../../../option-values.ts';
import { green, printError, printJson, printLine, printRow, red, yellow } from '../../../output.ts';
import { keepOneForAnswers, NO_ANSWER } from '../../../usage-exit.ts';
import { readTrustedRoot } from '../../../verify/files.ts';

interface VerifyOptions {
  readonly config: string;
  readonly head?: string;
  readonly measurements?: readonly string[];
  readonly trustRoot?: string;
  readonly json?: boolean;
}

const BROKEN = 1;
const HASH = /^[0-9a-f]{64}$/;
const IMAGE_PCR = toPcrIndex(0);

function fileOf(given: string | undefined, { config }: VerifyOptions): string {
  if (given !== undefined) return resolve(given);
  const folder = keysFolderOf(loadConfig(hostProxySchema, resolve(config)));
  if (folder !== undefined) return join(folder, AUDIT_FILE);
  throw new CliError('CLI_OPTION', 'say which log: host-proxy.yaml names no folder of keys', { allowed: 'FILE' });
}

async function readLog(file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (cause) {
    throw new CliError('CLI_KEYS_AUDIT', `cannot read ${file}`, { cause });
  }
}

/** @returns PCR0 of each */
async function imagesOf(files: readonly string[] | undefined): Promise<readonly string[] | undefined> {
  if (files === undefined) return undefined;
  const demands = { require: [], maxAgeMs: undefined, nowMs: Date.now() };
  return await Promise.all(
    files.map(async (file) => {
      const pcr0 = (await readExpectedMeasurements(file, demands)).pcrs.get(IMAGE_PCR);
      if (pcr0 !== undefined) return Buffer.from(pcr0).toString('hex');
      throw new CliError('CLI_OPTION', `--measurements: ${file} has no PCR0`);
    }),
  );
}

async function examine(given: string | undefined, options: VerifyOptions): Promise<AuditReport> {
  const { head, measurements, trustRoot } = options;
  if (head !== undefined && !HASH.test(head))
    throw new CliError('CLI_OPTION', '--head is no hash', { found: head, allowed: '64 hexadecimal digits' });
  const file = fileOf(given, options);
  const root = trustRoot === undefined ? {} : { trustRootPem: await readTrustedRoot(trustRoot) };
  const { rootDer } = checkDemands({ measurements: 'not-judged', ...root });
  const { sets } = await new KeyFolder(dirname(file)).list();
  const images = await imagesOf(measurements);
  return verifyAudit(await readLog(file), { rootDer, images, head, sets });
}

function tell({ broken, notes, lines, head, since, sets, lastTaken, images }: AuditReport): void {
  printRow('records', String(lines));
  printRow('key sets', String(sets));
  for (const image of images) printRow('made in PCR0', image);
  if (lastTaken !== undefined) printRow('taken last', `generation ${lastTaken.generation}, ${lastTaken.set}`);
  for (const note of notes) printRow('note', harmlessText(note));
  if (head !== null) printRow('head', head);
  if (broken !== undefined) {
    printLine(`${red('BROKEN')} at line ${broken.line}: ${harmlessText(broken.reason)}`);
    return;
  }
  printLine(`${green('holds')} from the first line to the last`);
  if (since === undefined)
    printLine(yellow('Nothing says that it is whole: name the head that a key command printed last (--head).'));
  else printLine(`${since} ${since === 1 ? 'line' : 'lines'} since the head that you kept`);
}

async function run(given: string | undefined, options: VerifyOptions): Promise<void> {
  try {
    const report = await examine(given, options);
    if (options.json) printJson({ holds: report.broken === undefined, ...report });
    else {
      printTrust(options.trustRoot);
      tell(report);
    }
    if (report.broken !== undefined) process.exitCode = BROKEN;
  } catch (error) {
    await printError(error, options.json === true);
    process.exitCode = NO_ANSWER;
  }
}

const HELP = `
Reads the log, and the key sets that lie beside it. Proved by Nitro's own signature is which image made each set, and on which request. The log
itself is the parent's word: it can cut off the end, or write another log; the head, which every key command prints, is what shows that.

Exit code: 0 it holds, 1 it does not, ${NO_ANSWER} no answer (wrong usage, a file that cannot be read).`;

export function auditVerifyCommand(): Command {
  const command = new Command('verify')
    .description('Say whether the log of key operations holds, and where it first does not.')
    .argument('[file]', 'audit.jsonl; default: in `keys.folder` of host-proxy.yaml')
    .option('-c, --config <file>', 'host-proxy.yaml', '/etc/acra-enclave/host-proxy.yaml')
    .option('--head <hash>', 'a head that a key command printed: the log must have it')
    .option('--measurements <file>', 'an image that may have made sets; may be given several times', collect)
    .option('--trust-root <file>', 'trust this root (PEM) and not that of AWS: for emulated enclaves')
    .option('--json', 'print JSON')
    .addHelpText('after', HELP)
    .action(run);
  return keepOneForAnswers(command);
}
