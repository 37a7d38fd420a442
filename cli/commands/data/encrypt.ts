/** `acra-enclave data encrypt`: fills the protected column beside the plaintext through the enclave, and switches the two. */
import { Command, Option } from 'commander';
import { systemClock } from '../../../runtime/clock.ts';
import { systemRandom } from '../../../runtime/random.ts';
import { addressOptions } from '../../data/address-options.ts';
import { migrationOf, readConfigured } from '../../data/configured.ts';
import { clientConfig, type EnclaveAddress, openSession } from '../../data/enclave-session.ts';
import { type EncryptReport, encrypt } from '../../data/encrypt.ts';
import { OLD_WAYS, type OldWay } from '../../data/old-column.ts';
import { parseCount } from '../../data/option-values.ts';
import { Progress, Throttle } from '../../data/progress.ts';
import { exitCodeOf, tellEncrypt } from '../../data/report.ts';
import { Sessions } from '../../data/sessions.ts';
import { printJson, progress } from '../../output.ts';
import { untilStopped } from '../../until-signal.ts';

interface Options extends EnclaveAddress {
  readonly enclave: string;
  readonly table?: string;
  readonly column?: string;
  readonly schema?: string;
  readonly dryRun?: true;
  readonly old: OldWay;
  readonly batchRows: number;
  readonly batchKib: number;
  readonly rowsPerSecond?: number;
  readonly lockTimeout: number;
  readonly switchPatience: number;
  readonly reconnect: number;
  readonly json?: true;
}

const SECOND_MS = 1_000;

async function run(options: Options): Promise<void> {
  const target = migrationOf(readConfigured(options.enclave), options.table, options.column);
  const config = clientConfig(options);
  const report: EncryptReport = await untilStopped(async (signal) => {
    const common = { clock: systemClock, signal };
    const open = () => openSession(config);
    const patienceMs = options.reconnect * SECOND_MS;
    const sessions = new Sessions({ ...common, open, patienceMs, random: systemRandom, told: progress });
    const context = {
      ...common,
      sessions,
      limits: { maxRows: options.batchRows, maxBytes: options.batchKib * 1024 },
      progress: new Progress(systemClock, progress),
      throttle: new Throttle(systemClock, options.rowsPerSecond),
    };
    try {
      return await encrypt(context, {
        target,
        schema: options.schema,
        isDryRun: options.dryRun === true,
        old: options.old,
        lock: { lockTimeoutMs: options.lockTimeout, patienceMs: options.switchPatience * SECOND_MS },
        told: progress,
      });
    } finally {
      await sessions.renew();
    }
  });
  if (options.json) printJson({ ...report, maxRssKib: process.resourceUsage().maxRSS });
  else tellEncrypt(report, target.migration);
  process.exitCode = exitCodeOf(report);
}

export function encryptCommand(): Command {
  const old = new Option('--old <way>', 'what becomes of the plaintext behind the switch').choices(OLD_WAYS);
  return addressOptions(new Command('encrypt'), 'default: the only one that guard.migrations names')
    .option('--column <name>', 'default: the only one')
    .description(
      'Encrypt the rows that a prepared table has, through the enclave, while applications use it; then switch to the protected column. It may be ended at any time and goes on where it was. Exit code 1 where something has to be mended first, 75 where it was stopped.',
    )
    .option('--dry-run', 'say what would be done, and how fast; nothing is changed')
    .addOption(old.default('keep'))
    .option('--batch-rows <rows>', 'in one statement', parseCount(1, 10_000), 500)
    .option('--batch-kib <kib>', 'of values in one statement, where there are several', parseCount(1, 16_384), 1_024)
    .option('--rows-per-second <rows>', 'at most; default: as fast as it goes', parseCount(1, 1_000_000))
    .option('--lock-timeout <ms>', 'how long others stand behind one try to switch', parseCount(10, 60_000), 500)
    .option('--switch-patience <s>', 'for all tries together', parseCount(1, 86_400), 600)
    .option('--reconnect <s>', 'how long the enclave or the database may be away', parseCount(1, 86_400), 90)
    .option('--json', 'print JSON')
    .action(run);
}
