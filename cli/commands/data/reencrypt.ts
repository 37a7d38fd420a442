/** `acra-enclave data reencrypt`: encrypts with a client's current key what is under an old one, and proves that nothing is. */
import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { clientIdFromCertificate } from '../../../acra/client-id.ts';
import { readKeyIds } from '../../../keys/key-ids-file.ts';
import { readConfigured } from '../../configured.ts';
import { addressOptions } from '../../data/address-options.ts';
import { clientConfig, type EnclaveAddress } from '../../data/enclave-session.ts';
import { type Pace, paceOptions, startAtPace } from '../../data/pace.ts';
import { reencrypt } from '../../data/reencrypt/reencrypt.ts';
import { exitCodeOfReencrypt, tellReencrypt } from '../../data/reencrypt/report.ts';
import { reencryptTarget } from '../../data/reencrypt/target.ts';
import { peakResidentKib } from '../../data/small-memory.ts';
import { openViews } from '../../data/verify/open-views.ts';
import { CliError } from '../../errors.ts';
import { parseCount } from '../../option-values.ts';
import { printJson, progress } from '../../output.ts';
import { untilStopped } from '../../until-signal.ts';

interface Options extends EnclaveAddress, Pace {
  readonly enclave: string;
  readonly keyIds: string;
  readonly table?: string;
  readonly schema?: string;
  readonly check?: true;
  readonly dryRun?: true;
  readonly maxOffenders: number;
  readonly json?: true;
}

function modeOf({ check, dryRun }: Options) {
  if (check && dryRun) throw new CliError('CLI_OPTION', '--check and --dry-run exclude each other');
  if (check) return 'check';
  return dryRun ? 'try' : 'reencrypt';
}

async function run(options: Options): Promise<void> {
  const mode = modeOf(options);
  const configured = readConfigured(options.enclave);
  const config = clientConfig(options);
  const clientId = clientIdFromCertificate(readFileSync(options.cert), configured.config.acra.clientIdFrom);
  const target = reencryptTarget(configured, options.table, clientId, readKeyIds(options.keyIds));
  const { schema, maxOffenders } = options;
  const report = await untilStopped(async (signal) => {
    const context = startAtPace(options, () => openViews(config), signal);
    try {
      return await reencrypt(context, { target, schema, mode, maxOffenders, told: progress });
    } finally {
      await context.sessions.renew();
    }
  });
  if (options.json) printJson({ ...report, maxRssKib: peakResidentKib() });
  else tellReencrypt(report);
  process.exitCode = exitCodeOfReencrypt(report);
}

export function reencryptCommand(): Command {
  const command = addressOptions(new Command('reencrypt'), 'a protected table; default: the only one')
    .requiredOption('--key-ids <file>', 'what `keys rotate data --json` or `keys ids --json` printed')
    .description(
      'Encrypt with a client’s current key what a table has under an old one, through the enclave, while applications use it; then prove that nothing is left. It may be ended at any time and goes on where it was. Exit code 1 where something is left, 75 where it was stopped.',
    )
    .option('--check', 'prove it only, and change nothing')
    .option('--dry-run', 'say how much there is to do; nothing is changed');
  return paceOptions(command, 'page')
    .option('--max-offenders <rows>', 'how many are named', parseCount(1, 10_000), 20)
    .option('--json', 'print JSON, for keys forget-old')
    .action(run);
}
