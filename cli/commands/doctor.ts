/** `acra-enclave doctor`: is this parent instance fit to run the enclave? */

import { resolve } from 'node:path';
import { Command } from 'commander';
import { hostProxySchema } from '../../config/host-proxy.ts';
import { loadConfig } from '../../config/load.ts';
import { type Finding, skipped } from '../../host-proxy/doctor/check.ts';
import type { CheckReport, LoadedConfig } from '../../host-proxy/doctor/examine.ts';
import { examineParent } from '../../host-proxy/doctor/examine.ts';
import { realSystem } from '../../host-proxy/doctor/real-system.ts';
import { untilAborted } from '../../runtime/abort.ts';
import { systemClock } from '../../runtime/clock.ts';
import { errorCode } from '../../runtime/errors.ts';
import { findAdvice } from '../error-advice.ts';
import { bold, dim, green, printJson, printLine, red, yellow } from '../output.ts';
import { untilStopped } from '../until-signal.ts';

/** A look at the database, which needs a client of PostgreSQL: on a parent instance there is none (cli/parent.ts). */
export interface DatabaseCheck<Options> {
  withOptions(command: Command): Command;
  examine(options: Options): Promise<Finding>;
}

interface DoctorOptions {
  readonly config: string;
  readonly json?: boolean;
}

const MARKS = { ok: green('✓'), warning: yellow('!'), failure: red('✗'), skipped: dim('-') } as const;
const INDENT = '    ';

function load(file: string): LoadedConfig {
  try {
    return { file, config: loadConfig(hostProxySchema, file) };
  } catch (error) {
    const advice = findAdvice(errorCode(error) ?? '') ?? 'Check the file.';
    return { file, error, advice: `${advice} Name another file with --config.` };
  }
}

const indented = (text: string) => text.split('\n').join(`\n${INDENT}`);

function printReport({ outcome, checked, found, advice }: CheckReport): void {
  const line = `${MARKS[outcome]} ${bold(checked)}: ${indented(found)}`;
  printLine(outcome === 'skipped' ? dim(`- ${checked}: skipped, ${found}`) : line);
  if (advice !== undefined) printLine(`${INDENT}${indented(advice)}`);
}

function summary(reports: readonly CheckReport[]): string {
  const told = (outcome: CheckReport['outcome'], one: string, more = one) => {
    const count = reports.filter((report) => report.outcome === outcome).length;
    return `${count} ${count === 1 ? one : more}`;
  };
  const failures = told('failure', 'failure', 'failures');
  return `${failures}, ${told('warning', 'warning', 'warnings')}, ${told('ok', 'ok')}, ${told('skipped', 'skipped')}`;
}

const WITHOUT_CLIENT =
  'a parent instance has no client of PostgreSQL: run `acra-enclave doctor` or `acra-enclave guard check-db` where the project is checked out';

async function databaseReport(examined: Promise<Finding> | undefined): Promise<CheckReport> {
  const finding = (await examined) ?? skipped(WITHOUT_CLIENT);
  return { name: 'guard-check-db', checked: 'the database, as the guard needs it', ...finding };
}

/** Sets exit code 1 when a check fails. */
async function runDoctor(
  { config, json = false }: DoctorOptions,
  examineDatabase: () => Promise<Finding> | undefined,
): Promise<void> {
  const onReport = json ? () => undefined : printReport;
  const reports = await untilStopped(async (signal) => {
    const last = untilAborted(databaseReport(examineDatabase()), signal);
    const parent = examineParent(load(resolve(config)), realSystem(systemClock), signal, onReport);
    const [ofParent, ofDatabase] = await Promise.all([parent, last]);
    onReport(ofDatabase);
    return [...ofParent, ofDatabase];
  });
  const healthy = !reports.some(({ outcome }) => outcome === 'failure');
  if (json) printJson({ healthy, checks: reports });
  else printLine(`\n${summary(reports)}`);
  if (!healthy) process.exitCode = 1;
}

/** @param database default: none, told as skipped */
export function doctorCommand<Options>(database?: DatabaseCheck<Options>): Command {
  const command = new Command('doctor')
    .description('Check this parent instance: enclave support, reserved memory and CPUs, IMDS, KMS, database, clock.')
    .option('-c, --config <file>', 'host-proxy.yaml', '/etc/acra-enclave/host-proxy.yaml')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nChanges nothing. Exit code 1 when a check fails; warnings leave it at 0.');
  const run = (options: DoctorOptions & Options) => runDoctor(options, () => database?.examine(options));
  return (database?.withOptions(command) ?? command).action(run);
}
