/** `acra-enclave certificate request`: what the operator of the CA needs, fetched on the parent instance where no listener is open to him. */
import { randomBytes } from 'node:crypto';
import { Command } from 'commander';
import { NONCE_HEX } from '../../../wire/requests/bounds.ts';
import type { DaemonOption } from '../../ask-daemon.ts';
import { ask } from '../../ask-daemon.ts';
import { CliError } from '../../errors.ts';
import { printLine } from '../../output.ts';

const NONCE_BYTES = 32;

interface RequestOptions extends DaemonOption {
  readonly nonce?: string;
}

async function request({
  nonce = randomBytes(NONCE_BYTES).toString('hex'),
  ...options
}: RequestOptions): Promise<void> {
  if (!NONCE_HEX.test(nonce)) {
    throw new CliError('CLI_OPTION', '--nonce is no nonce', { found: nonce, allowed: '32 to 128 hexadecimal digits' });
  }
  await ask(options, { command: 'certificate-request', nonce }, (reply) => {
    if (reply.type === 'line') printLine(reply.text);
  });
}

export function requestCommand(): Command {
  return new Command('request')
    .description(
      "Print the enclave's request for a certificate of the TLS key of this boot, with its attestation (JSON).",
    )
    .option('--nonce <hex>', 'chosen by the operator of the CA, who names it again when he signs; default: random')
    .option('-c, --config <file>', "the daemon's host-proxy.yaml; default: the daemon in /run/acra-enclave")
    .action(request);
}
