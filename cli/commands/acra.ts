/** `acra-enclave acra pull`: fetches the official acra-server image into the cache. */
import { Command } from 'commander';
import type { PulledAcra } from '../../acra/obtain/pull.ts';
import { pullAcraServer } from '../../acra/obtain/pull.ts';
import { userCacheFolder } from '../cache-folder.ts';
import { CliError } from '../errors.ts';
import { green, printJson, printLine, progress, yellow } from '../output.ts';
import { untilStopped } from '../until-signal.ts';

interface PullOptions {
  readonly digest?: string;
  readonly json?: boolean;
}

const DIGEST = /^sha256:[0-9a-f]{64}$/;

function warnOfFirstUse({ configDigest, manifestDigest }: PulledAcra): void {
  const digests = [manifestDigest === undefined ? [] : `manifest ${manifestDigest}`, `image id ${configDigest}`].flat();
  printLine(`${yellow('nobody has vouched for this image:')} it is trusted because it came first.`);
  for (const digest of digests) printLine(`  ${digest}`);
  printLine('Compare with what other people and networks get; then say it with --digest. It is locked from now on.');
}

async function pull({ digest, json }: PullOptions): Promise<void> {
  if (digest !== undefined && !DIGEST.test(digest)) {
    throw new CliError('CLI_OPTION', '--digest is none', {
      found: digest,
      allowed: 'sha256: and 64 hexadecimal digits',
    });
  }
  const cacheFolder = userCacheFolder(process.env, 'acra-server');
  const pulled = await untilStopped((signal) =>
    pullAcraServer({
      cacheFolder,
      environment: process.env,
      signal,
      onProgress: progress,
      ...(digest === undefined ? {} : { digest }),
    }),
  );
  const { program, trust, configDigest, manifestDigest } = pulled;
  if (json) {
    printJson({ ...program, trust, configDigest, manifestDigest: manifestDigest ?? null });
    return;
  }
  printLine(`${green('ready')} ${program.description}`);
  if (trust === 'first-use') warnOfFirstUse(pulled);
}

const HELP = `
Cossack Labs publish no digest of this image. Say with --digest the one that you have compared: of the manifest, as docker pull
prints it, or of the configuration, which docker calls image id. Without it the first image is trusted, told so, and locked: every
later pull, here and wherever the lock file is copied to, must bring the same. ACRA_SERVER names one that you built yourself.`;

export function acraCommand(): Command {
  const command = new Command('pull')
    .description('Fetch the official acra-server 0.96.0 with skopeo, podman or docker, and lock its digests.')
    .option('--digest <sha256>', 'what the image must be')
    .option('--json', 'print JSON')
    .addHelpText('after', HELP)
    .action(pull);
  return new Command('acra').description('Obtain acra-server itself.').addCommand(command);
}
