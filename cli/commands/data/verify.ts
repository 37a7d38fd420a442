/** `acra-enclave data verify`: proves that every protected value of a table is what it should be, and that nothing of a switch is left. */
import { Command } from 'commander';
import { readConfigured } from '../../configured.ts';
import { addressOptions } from '../../data/address-options.ts';
import { clientConfig, type EnclaveAddress } from '../../data/enclave-session.ts';
import { type Pace, paceOptions, startAtPace } from '../../data/pace.ts';
import { peakResidentKib } from '../../data/small-memory.ts';
import { openViews } from '../../data/verify/open-views.ts';
import { exitCodeOfVerify, tellVerify } from '../../data/verify/report.ts';
import { verify } from '../../data/verify/verify.ts';
import { CliError } from '../../errors.ts';
import { parseCount } from '../../option-values.ts';
import { printJson } from '../../output.ts';
import { untilStopped } from '../../until-signal.ts';

interface Options extends EnclaveAddress, Pace {
  readonly enclave: string;
  readonly table?: string;
  readonly schema?: string;
  readonly maxOffenders: number;
  readonly beforeDrop?: true;
  readonly json?: true;
}

/** The named table, or the only one that is being migrated. @throws CliError CLI_OPTION */
function tableOf({ tables, migrations }: ReturnType<typeof readConfigured>, name: string | undefined) {
  const names = name === undefined ? [...new Set(migrations.map(({ table }) => table))] : [name];
  const [only = ''] = names;
  const table = tables.get(only);
  if (table && table.encrypted.size > 0 && names.length === 1) return table;
  const all = [...tables.values()].filter(({ encrypted }) => encrypted.size > 0).map((each) => each.name);
  throw new CliError('CLI_OPTION', '--table names no protected table', { allowed: all.join(', ') });
}

async function run(options: Options): Promise<void> {
  const configured = readConfigured(options.enclave);
  const table = tableOf(configured, options.table);
  const config = clientConfig(options);
  const report = await untilStopped(async (signal) => {
    const context = startAtPace(options, () => openViews(config), signal);
    try {
      return await verify(context, {
        table,
        migrations: configured.migrations.filter((each) => each.table === table.name),
        schema: options.schema,
        maxOffenders: options.maxOffenders,
        isBeforeDrop: options.beforeDrop === true,
      });
    } finally {
      await context.sessions.renew();
    }
  });
  if (options.json) printJson({ ...report, maxRssKib: peakResidentKib() });
  else tellVerify(report, table.name);
  process.exitCode = exitCodeOfVerify(report);
}

export function verifyCommand(): Command {
  const command = addressOptions(
    new Command('verify'),
    'a protected table; default: the only one that guard.migrations names',
  ).description(
    'Look at every protected value of a table through the enclave, as it is stored and as it reads: that each is a container of the configured kind, opens, and is found by its value; and that nothing of a switch is left. It changes nothing. Exit code 1 where something is not as it should be.',
  );
  return paceOptions(command, 'page')
    .option('--before-drop', 'the plaintext that the switch put aside may still be there')
    .option('--max-offenders <rows>', 'how many are named', parseCount(1, 10_000), 20)
    .option('--json', 'print JSON')
    .action(run);
}
