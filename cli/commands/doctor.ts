/** `acra-enclave doctor`: is this parent instance fit to run the enclave? */

import { resolve } from 'node:path';
import { Command } from 'commander';
import { hostProxySchema } from '../../config/host-proxy.ts';
import { loadConfig } from '../../config/load.ts';
import type { CheckReport, LoadedConfig } from '../../host-proxy/doctor/examine.ts';
import { examineParent } from '../../host-proxy/doctor/examine.ts';
import { realSystem } from '../../host-proxy/doctor/real-system.ts';
import { systemClock } from '../../runtime/clock.ts';
import { errorCode } from '../../runtime/errors.ts';
import { findAdvice } from '../error-advice.ts';
import { bold, dim, green, printJson, printLine, red, yellow } from '../output.ts';
import { untilStopped } from '../until-signal.ts';

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

/** Sets exit code 1 when a check fails. */
async function runDoctor({ config, json = false }: DoctorOptions): Promise<void> {
  const onReport = json ? () => undefined : printReport;
  const reports = await untilStopped((signal) =>
    examineParent(load(resolve(config)), realSystem(systemClock), signal, onReport),
  );
  const healthy = !reports.some(({ outcome }) => outcome === 'failure');
  if (json) printJson({ healthy, checks: reports });
  else printLine(`\n${summary(reports)}`);
  if (!healthy) process.exitCode = 1;
}

export function doctorCommand(): Command {
  return new Command('doctor')
    .description('Check this parent instance: enclave support, reserved memory and CPUs, IMDS, KMS, database, clock.')
    .option('-c, --config <file>', 'host-proxy.yaml', '/etc/acra-enclave/host-proxy.yaml')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nChanges nothing. Exit code 1 when a check fails; warnings leave it at 0.')
    .action(runDoctor);
}
