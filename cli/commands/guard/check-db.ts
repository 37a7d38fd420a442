/** `acra-enclave guard check-db`: what a database has that contradicts the configuration or needs care, and the list of what may receive values. */
import { join, resolve } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { type Finding, finding } from '../../../acra/catalogue/findings.ts';
import { type Judgement, judgeCatalogue } from '../../../acra/catalogue/judge.ts';
import { shown } from '../../../acra/catalogue/labels.ts';
import { readCatalogue } from '../../../acra/catalogue/read.ts';
import { loadEncryptorConfig } from '../../../acra/encryptor-config/lint.ts';
import type { EncryptedTable } from '../../../acra/encryptor-config/schema.ts';
import { type EnclaveConfig, enclaveSchema } from '../../../config/enclave.ts';
import { loadConfig } from '../../../config/load.ts';
import { type Difference, differenceOf, readList, writeList } from '../../check-db/list-file.ts';
import { connect, type DatabaseAddress, measuredTls, readPassword } from '../../check-db/session.ts';
import { bold, dim, green, printJson, printLine, progress, red, yellow } from '../../output.ts';

interface Options {
  readonly enclave: string;
  readonly user: string;
  readonly database?: string;
  readonly host?: string;
  readonly port: number;
  readonly plaintext?: true;
  readonly passwordFile?: string;
  readonly write?: true;
  readonly json?: true;
}

const EX_FOUND = 1;
const DEFAULT_LIST = 'guard-list.yaml';

function addressOf(options: Options, config: EnclaveConfig, folder: string): DatabaseAddress {
  const { user, database = user, host = config.database.serverName, port, plaintext } = options;
  const tls = plaintext ? undefined : measuredTls(config, folder);
  return { user, database, host, port, tls, password: readPassword(options.passwordFile, process.env) };
}

async function judge(address: DatabaseAddress, tables: ReadonlyMap<string, EncryptedTable>): Promise<Judgement> {
  progress(`connecting to ${address.host}:${address.port} …`);
  const session = await connect(address);
  try {
    const catalogue = await readCatalogue(session, [...tables.keys()], (what) => progress(`reading ${what} …`));
    return judgeCatalogue(catalogue, tables);
  } finally {
    await session.end();
  }
}

interface Report {
  readonly file: string;
  readonly findings: readonly Finding[];
  readonly difference: Difference;
  readonly isWritten: boolean;
}

function tellDifference({ file, difference: { added, removed }, isWritten }: Report): void {
  if (added.length === 0 && removed.length === 0) {
    printLine(`${green('up to date')} ${file}`);
    return;
  }
  printLine(isWritten ? `${green('written')} ${file}` : `${yellow('differs')} ${file}; --write writes it`);
  for (const name of added) printLine(`  + ${shown(name)}`);
  for (const name of removed) printLine(`  - ${shown(name)}`);
}

function tell(report: Report): void {
  for (const { severity, code, object, found, action } of report.findings) {
    printLine(`${severity === 'error' ? red('error') : yellow('warning')} ${bold(code)}: ${object}: ${found}`);
    printLine(`  ${dim(action)}`);
  }
  tellDifference(report);
}

async function checkDatabase(options: Options): Promise<void> {
  const folder = resolve(options.enclave);
  const config = loadConfig(enclaveSchema, join(folder, 'enclave.yaml'));
  const { tables } = loadEncryptorConfig(join(folder, config.acra.encryptorConfig));
  const file = join(folder, config.guard.list ?? DEFAULT_LIST);
  const present = readList(file);
  const judged = await judge(addressOf(options, config, folder), tables);
  const difference = differenceOf(present, judged.list);
  const isSame = present !== undefined && difference.added.length === 0 && difference.removed.length === 0;
  const isWritten = options.write === true && !isSame;
  if (isWritten) await writeList(file, judged.list);
  const isUsed = config.guard.list !== undefined && config.guard.relations === 'listed';
  const unused = isUsed ? [] : [finding('DB_LIST_UNUSED', 'enclave.yaml', `relations: ${config.guard.relations}`)];
  const report: Report = { file, findings: [...judged.findings, ...unused], difference, isWritten };
  if (options.json) printJson({ ...report, list: judged.list });
  else tell(report);
  if (report.findings.length > 0 || !(isSame || isWritten)) process.exitCode = EX_FOUND;
}

function parsePort(text: string): number {
  const port = Number(text);
  if (/^\d{1,5}$/.test(text) && port > 0 && port < 65_536) return port;
  throw new InvalidArgumentError('must be 1 to 65535');
}

export function checkDbCommand(): Command {
  return new Command('check-db')
    .description(
      'Look at the database itself: say what contradicts the configuration or needs care, and work out the list of relations and functions that may receive values (guard.list of enclave.yaml). It only reads. Exit code 1 where there is something to do.',
    )
    .requiredOption('--enclave <folder>', 'the measured folder, with enclave.yaml and the encryptor configuration')
    .requiredOption('--user <name>', 'login at the database; any that may connect will do')
    .option('--database <name>', 'default: the one of the user’s name')
    .option('--host <host>', 'default: database.serverName of enclave.yaml')
    .option('--port <port>', 'of the database', parsePort, 5432)
    .option('--plaintext', 'without TLS; else TLS as enclave.yaml measures it (database.ca, database.serverName)')
    .option('--password-file <file>', 'a file with the password in one line; default: the environment’s PGPASSWORD')
    .option('--write', 'write the list')
    .option('--json', 'print JSON')
    .action(checkDatabase);
}
