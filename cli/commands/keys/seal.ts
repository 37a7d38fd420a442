/** `acra-enclave keys seal`: seals the TLS key of another server certificate under the master key that there is. */
import { join } from 'node:path';
import { Command } from 'commander';
import { readCeremonyInput } from '../../../keys/ceremony-input.ts';
import { sealServerKey } from '../../../keys/renewal.ts';
import { CliError } from '../../errors.ts';
import { keysContext, kmsOf } from '../../keys-context.ts';
import { kmsDecrypt } from '../../kms-decrypt.ts';
import { green, printJson, printLine, progress } from '../../output.ts';
import { untilStopped } from '../../until-signal.ts';

interface SealOptions {
  readonly enclave: string;
  readonly serverKey: string;
  readonly json?: boolean;
}

async function seal(options: SealOptions): Promise<void> {
  const context = keysContext(options.enclave);
  using input = readCeremonyInput(context, { serverKey: options.serverKey, clients: [] });
  const { serverKey, serverKeySha256 } = input;
  if (serverKey === undefined) throw new CliError('CLI_OPTION', '--server-key is missing');
  progress(`decrypting the master key under ${context.config.kms.keyArn}`);
  await untilStopped((signal) =>
    sealServerKey({
      ...context,
      serverKey,
      serverKeySha256,
      decrypt: (ciphertext) => kmsDecrypt(ciphertext, kmsOf(context, signal)),
      signal,
    }),
  );
  const sealedKey = join(context.folder, context.config.acra.sealedKey);
  if (options.json) printJson({ sealedKey });
  else printLine(`${green('sealed')} ${sealedKey}`);
}

const HELP = `
For a server certificate with another key: put it at \`acra.certificate\` first. A renewed certificate of the same key needs no
sealing. Uses your AWS credentials for kms:Decrypt of the master key, without attestation; a strict key policy refuses that,
and the message says what would have to be allowed for a moment. The sealed key is replaced in one step. The folder changes,
and PCR0 with it: build the image again, and let the key policy name the new measurements.`;

export function sealCommand(): Command {
  return new Command('seal')
    .description('Seal the private key of another server certificate, under the same master key.')
    .requiredOption('-e, --enclave <folder>', 'the measured folder with its keys and the new certificate')
    .requiredOption('--server-key <file>', "PEM of the server certificate's private key")
    .option('--json', 'print JSON')
    .addHelpText('after', HELP)
    .action(seal);
}
