/** `acra-enclave data prepare`: what a table needs before its rows are encrypted, printed or run at the database itself. */
import { Command } from 'commander';
import { type AddressOptions, addressOf, withAddressOptions } from '../../check-db/address.ts';
import { logIn } from '../../check-db/session.ts';
import { readConfigured } from '../../configured.ts';
import { migrationOf } from '../../data/configured.ts';
import { begin } from '../../data/connection.ts';
import { inspect } from '../../data/inspect.ts';
import { applyPreparation, planPreparation, preparationText } from '../../data/prepare.ts';
import { EX_FOUND, tellFindings } from '../../data/report.ts';
import { green, printJson, printLine, progress } from '../../output.ts';

interface Options extends AddressOptions {
  readonly enclave: string;
  readonly table?: string;
  readonly column?: string;
  readonly schema?: string;
  readonly user: string;
  readonly apply?: true;
  readonly json?: true;
}

async function prepare(options: Options): Promise<void> {
  const configured = readConfigured(options.enclave);
  const { migration, column } = migrationOf(configured, options.table, options.column);
  const client = await logIn(addressOf(options.user, options, configured.config, configured.folder), {
    applicationName: 'acra-enclave data prepare',
    answerTimeoutMs: undefined,
  });
  const connection = await begin(client);
  try {
    const inspected = await inspect(connection, migration, column, options.schema);
    const plan = 'code' in inspected ? { findings: [inspected], quick: [], slow: [] } : planPreparation(inspected);
    const isFit = plan.findings.every(({ severity }) => severity !== 'error');
    const isToBeApplied = options.apply === true && isFit;
    if (isToBeApplied) await applyPreparation(connection, plan, (what) => progress(`${what} …`));
    const statements = isFit ? preparationText(plan) : '';
    if (options.json) printJson({ findings: plan.findings, statements, isApplied: isToBeApplied });
    else {
      tellFindings(plan.findings);
      if (!('code' in inspected) && inspected.side === 'switched') printLine('switched already');
      else if (isToBeApplied || (isFit && statements === ''))
        printLine(`${green('prepared')} ${migration.table}.${migration.column}`);
      else if (isFit) printLine(statements);
    }
    if (!isFit) process.exitCode = EX_FOUND;
  } finally {
    await connection.end();
  }
}

export function prepareCommand(): Command {
  const command = new Command('prepare')
    .description(
      'Print, or with --apply run, what a table needs before its rows are encrypted: a column beside, its CHECK constraint, a trigger, indexes. At the database itself, as the owner of the table; no plaintext is read. Exit code 1 where something has to be mended first.',
    )
    .requiredOption(
      '--enclave <folder>',
      'the measured folder, whose enclave.yaml names the column in guard.migrations',
    )
    .option('--table <name>', 'default: the only one that guard.migrations names')
    .option('--column <name>', 'default: the only one')
    .option('--schema <name>', 'where several schemas have the table')
    .requiredOption('--user <name>', 'the owner of the table');
  return withAddressOptions(command).option('--apply', 'run it').option('--json', 'print JSON').action(prepare);
}
