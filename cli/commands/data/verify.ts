/** `acra-enclave data verify`: proves that every protected value of a table is what it should be, and that nothing of a switch is left. */
import { Command } from 'commander';
import { systemClock } from '../../../runtime/clock.ts';
import { systemRandom } from '../../../runtime/random.ts';
import { addressOptions } from '../../data/address-options.ts';
import { readConfigured } from '../../data/configured.ts';
import { clientConfig, type EnclaveAddress, openSession } from '../../data/enclave-session.ts';
import { parseCount } from '../../data/option-values.ts';
import { Progress, Throttle } from '../../data/progress.ts';
import { Sessions } from '../../data/sessions.ts';
import { exitCodeOfVerify, tellVerify } from '../../data/verify/report.ts';
import { AS_STORED, requireStoredForm } from '../../data/verify/stored-form.ts';
import { verify } from '../../data/verify/verify.ts';
import type { Views } from '../../data/verify/verify-page.ts';
import { CliError } from '../../errors.ts';
import { printJson, progress } from '../../output.ts';
import { untilStopped } from '../../until-signal.ts';

interface Options extends EnclaveAddress {
  readonly enclave: string;
  readonly table?: string;
  readonly schema?: string;
  readonly batchRows: number;
  readonly batchKib: number;
  readonly rowsPerSecond?: number;
  readonly maxOffenders: number;
  readonly beforeDrop?: true;
  readonly reconnect: number;
  readonly json?: true;
}

const SECOND_MS = 1_000;

async function openViews(config: Parameters<typeof openSession>[0]): Promise<Views> {
  await requireStoredForm((settings) => openSession(config, settings));
  const opened = await openSession(config);
  try {
    const stored = await openSession(config, AS_STORED);
    return {
      opened,
      stored,
      end: async () => {
        await Promise.all([opened.end(), stored.end()]);
      },
    };
  } catch (error) {
    await opened.end();
    throw error;
  }
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
    const sessions = new Sessions({
      clock: systemClock,
      signal,
      random: systemRandom,
      told: progress,
      open: () => openViews(config),
      patienceMs: options.reconnect * SECOND_MS,
    });
    const limits = { maxRows: options.batchRows, maxBytes: options.batchKib * 1024 };
    try {
      return await verify(
        {
          sessions,
          limits,
          signal,
          progress: new Progress(systemClock, progress),
          throttle: new Throttle(systemClock, options.rowsPerSecond),
        },
        {
          table,
          migrations: configured.migrations.filter((each) => each.table === table.name),
          schema: options.schema,
          maxOffenders: options.maxOffenders,
          isBeforeDrop: options.beforeDrop === true,
        },
      );
    } finally {
      await sessions.renew();
    }
  });
  if (options.json) printJson({ ...report, maxRssKib: process.resourceUsage().maxRSS });
  else tellVerify(report, table.name);
  process.exitCode = exitCodeOfVerify(report);
}

export function verifyCommand(): Command {
  return addressOptions(new Command('verify'), 'a protected table; default: the only one that guard.migrations names')
    .description(
      'Look at every protected value of a table through the enclave, as it is stored and as it reads: that each is a container of the configured kind, opens, and is found by its value; and that nothing of a switch is left. It changes nothing. Exit code 1 where something is not as it should be.',
    )
    .option('--before-drop', 'the plaintext that the switch put aside may still be there')
    .option('--batch-rows <rows>', 'in one page', parseCount(1, 10_000), 500)
    .option('--batch-kib <kib>', 'of values in one page, where there are several', parseCount(1, 16_384), 1_024)
    .option('--rows-per-second <rows>', 'at most; default: as fast as it goes', parseCount(1, 1_000_000))
    .option('--max-offenders <rows>', 'how many are named', parseCount(1, 10_000), 20)
    .option('--reconnect <s>', 'how long the enclave or the database may be away', parseCount(1, 86_400), 90)
    .option('--json', 'print JSON')
    .action(run);
}
