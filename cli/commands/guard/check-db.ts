/** `acra-enclave guard check-db`: what a database has that contradicts the configuration or needs care, and the list of what may receive values. */
import { join, resolve } from 'node:path';
import { Command } from 'commander';
import { type Finding, finding } from '../../../acra/catalogue/findings.ts';
import { type Judgement, judgeCatalogue } from '../../../acra/catalogue/judge.ts';
import { shown } from '../../../acra/catalogue/labels.ts';
import { readCatalogue } from '../../../acra/catalogue/read.ts';
import { loadEncryptorConfig } from '../../../acra/encryptor-config/lint.ts';
import type { EncryptedTable } from '../../../acra/encryptor-config/schema.ts';
import { type EnclaveConfig, enclaveSchema } from '../../../config/enclave.ts';
import type { GuardList } from '../../../config/guard-list.ts';
import { loadConfig } from '../../../config/load.ts';
import { type AddressOptions, addressOf, withAddressOptions } from '../../check-db/address.ts';
import { type Difference, differenceOf, readList, writeList } from '../../check-db/list-file.ts';
import { connect, type DatabaseAddress } from '../../check-db/session.ts';
import { bold, dim, green, printJson, printLine, progress, red, yellow } from '../../output.ts';

interface Options extends AddressOptions {
  readonly enclave: string;
  readonly user: string;
  readonly write?: true;
  readonly json?: true;
}

const EX_FOUND = 1;
const DEFAULT_LIST = 'guard-list.yaml';

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

interface ListReport {
  readonly file: string;
  readonly difference: Difference;
  /** As the database has it, now. */
  readonly isSame: boolean;
  readonly isWritten: boolean;
}

async function compareList(list: GuardList, file: string, isToBeWritten: boolean): Promise<ListReport> {
  const present = readList(file);
  const difference = differenceOf(present, list);
  const wasSame = present !== undefined && difference.added.length === 0 && difference.removed.length === 0;
  const isWritten = isToBeWritten && !wasSame;
  if (isWritten) await writeList(file, list);
  return { file, difference, isSame: wasSame || isWritten, isWritten };
}

function tellList({ file, difference: { added, removed }, isSame, isWritten }: ListReport): void {
  if (isWritten) printLine(`${green('written')} ${file}`);
  else printLine(isSame ? `${green('up to date')} ${file}` : `${yellow('differs')} ${file}; --write writes it`);
  for (const name of added) printLine(`  + ${shown(name)}`);
  for (const name of removed) printLine(`  - ${shown(name)}`);
}

function tellFindings(findings: readonly Finding[]): void {
  for (const { severity, code, object, found, action } of findings) {
    printLine(`${severity === 'error' ? red('error') : yellow('warning')} ${bold(code)}: ${object}: ${found}`);
    printLine(`  ${dim(action)}`);
  }
}

function unusedList({ guard: { list, relations } }: EnclaveConfig): Finding[] {
  const isUsed = list !== undefined && relations === 'listed';
  return isUsed ? [] : [finding('DB_LIST_UNUSED', 'enclave.yaml', `relations: ${relations}`)];
}

async function checkDatabase(options: Options): Promise<void> {
  const folder = resolve(options.enclave);
  const config = loadConfig(enclaveSchema, join(folder, 'enclave.yaml'));
  const { tables } = loadEncryptorConfig(join(folder, config.acra.encryptorConfig));
  const file = join(folder, config.guard.list ?? DEFAULT_LIST);
  // With acra-server in line nobody reads a list.
  const hasGuard = config.ingress.tls === 'terminate';
  if (hasGuard) readList(file);
  const { list, findings: found } = await judge(addressOf(options.user, options, config, folder), tables);
  const compared = hasGuard ? await compareList(list, file, options.write === true) : undefined;
  const findings = [...found, ...(hasGuard ? unusedList(config) : [])];
  if (options.json) printJson({ findings, list, ...compared });
  else {
    tellFindings(findings);
    if (compared) tellList(compared);
    else printLine('no list: with ingress.tls: passthrough acra-server reads statements itself');
  }
  if (findings.length > 0 || compared?.isSame === false) process.exitCode = EX_FOUND;
}

export function checkDbCommand(): Command {
  const command = new Command('check-db')
    .description(
      'Look at the database itself: say what contradicts the configuration or needs care, and work out the list of relations and functions that may receive values (guard.list of enclave.yaml). It only reads. Exit code 1 where there is something to do.',
    )
    .requiredOption('--enclave <folder>', 'the measured folder, with enclave.yaml and the encryptor configuration')
    .requiredOption('--user <name>', 'login at the database; any that may connect will do')
    .option('--write', 'write the list')
    .option('--json', 'print JSON');
  return withAddressOptions(command).action(checkDatabase);
}
