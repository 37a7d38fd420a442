/** `acra-enclave certificate install`: brings the certificate of its TLS key to the enclave that this parent instance runs. */
import { Command } from 'commander';
import { MAX_CHAIN_CHARACTERS } from '../../../wire/requests/parent-messages.ts';
import type { DaemonOption } from '../../ask-daemon.ts';
import { ask } from '../../ask-daemon.ts';
import { readOptionFile } from '../../certificate/files.ts';
import { CliError } from '../../errors.ts';
import { green, printLine } from '../../output.ts';

async function install(file: string, options: DaemonOption): Promise<void> {
  const chain = readOptionFile('the certificate', file).toString('utf8');
  if (chain.length > MAX_CHAIN_CHARACTERS) {
    const allowed = `at most ${MAX_CHAIN_CHARACTERS} characters`;
    throw new CliError('CLI_OPTION', `${file} is too long for a certificate`, { allowed });
  }
  const done = await ask(options, { command: 'install-certificate', chain }, () => undefined);
  printLine(done === undefined ? 'no longer waiting for the answer' : `${green('installed')} ${done}`);
}

export function installCommand(): Command {
  return new Command('install')
    .description('Give the enclave the certificate for the TLS key of this boot; new sessions see it at once.')
    .argument('<file>', 'PEM of the certificate that `certificate sign` wrote, behind it the CAs up to `tls.ca`')
    .option('-c, --config <file>', "the daemon's host-proxy.yaml; default: the daemon in /run/acra-enclave")
    .action(install);
}
