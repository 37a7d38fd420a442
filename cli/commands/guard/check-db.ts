/** `acra-enclave guard check-db`: what a database has that contradicts the configuration or needs care, and the list of what may receive values. */
import { resolve } from 'node:path';
import { Command } from 'commander';
import type { Finding } from '../../../acra/catalogue/findings.ts';
import { shown } from '../../../acra/catalogue/labels.ts';
import type { GuardList } from '../../../config/guard-list.ts';
import { withAddressOptions } from '../../check-db/address.ts';
import { type Examination, type ExamineOptions, examineDatabase } from '../../check-db/examine.ts';
import { type Difference, differenceOf, readList, writeList } from '../../check-db/list-file.ts';
import { collect } from '../../option-values.ts';
import { bold, dim, green, printJson, printLine, progress, red, yellow } from '../../output.ts';

interface Options extends ExamineOptions {
  readonly enclave: string;
  readonly write?: true;
  readonly json?: true;
}

const EX_FOUND = 1;

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

function tellRoles({ roles, missingRoles }: Examination): void {
  for (const role of missingRoles) progress(`the database has no role "${shown(role)}"`);
  if (roles.length > 0) return;
  progress(
    'enclave.yaml names no users, and --role no role: what is logged of them and what they may do was not looked at',
  );
}

async function checkDatabase(options: Options): Promise<void> {
  const examination = await examineDatabase(resolve(options.enclave), options, progress);
  const { findings, list, listFile } = examination;
  const compared = listFile === undefined ? undefined : await compareList(list, listFile, options.write === true);
  tellRoles(examination);
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
    .option(
      '--role <name>',
      'the application’s login, again for another; default: the users of enclave.yaml',
      collect,
      [],
    )
    .option('--write', 'write the list')
    .option('--json', 'print JSON');
  return withAddressOptions(command).action(checkDatabase);
}
