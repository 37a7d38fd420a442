/** `acra-enclave data encrypt`: fills the protected column beside the plaintext through the enclave, and switches the two. */
import { Command, Option } from 'commander';
import { readConfigured } from '../../configured.ts';
import { addressOptions } from '../../data/address-options.ts';
import { migrationOf } from '../../data/configured.ts';
import { clientConfig, type EnclaveAddress, openSession } from '../../data/enclave-session.ts';
import { type EncryptReport, encrypt } from '../../data/encrypt.ts';
import { OLD_WAYS, type OldWay } from '../../data/old-column.ts';
import { type Pace, paceOptions, startAtPace } from '../../data/pace.ts';
import { exitCodeOf, tellEncrypt } from '../../data/report.ts';
import { peakResidentKib } from '../../data/small-memory.ts';
import { parseCount } from '../../option-values.ts';
import { printJson, progress } from '../../output.ts';
import { untilStopped } from '../../until-signal.ts';

interface Options extends EnclaveAddress, Pace {
  readonly enclave: string;
  readonly table?: string;
  readonly column?: string;
  readonly schema?: string;
  readonly dryRun?: true;
  readonly old: OldWay;
  readonly lockTimeout: number;
  readonly switchPatience: number;
  readonly json?: true;
}

const SECOND_MS = 1_000;

async function run(options: Options): Promise<void> {
  const target = migrationOf(readConfigured(options.enclave), options.table, options.column);
  const config = clientConfig(options);
  const report: EncryptReport = await untilStopped(async (signal) => {
    const context = startAtPace(options, () => openSession(config), signal);
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
      await context.sessions.renew();
    }
  });
  if (options.json) printJson({ ...report, maxRssKib: peakResidentKib() });
  else tellEncrypt(report, target.migration);
  process.exitCode = exitCodeOf(report);
}

export function encryptCommand(): Command {
  const old = new Option('--old <way>', 'what becomes of the plaintext behind the switch').choices(OLD_WAYS);
  const command = addressOptions(new Command('encrypt'), 'default: the only one that guard.migrations names')
    .option('--column <name>', 'default: the only one')
    .description(
      'Encrypt the rows that a prepared table has, through the enclave, while applications use it; then switch to the protected column. It may be ended at any time and goes on where it was. Exit code 1 where something has to be mended first, 75 where it was stopped.',
    )
    .option('--dry-run', 'say what would be done, and how fast; nothing is changed')
    .addOption(old.default('keep'));
  return paceOptions(command, 'statement')
    .option('--lock-timeout <ms>', 'how long others stand behind one try to switch', parseCount(10, 60_000), 500)
    .option('--switch-patience <s>', 'for all tries together', parseCount(1, 86_400), 600)
    .option('--json', 'print JSON')
    .action(run);
}
