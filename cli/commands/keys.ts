/** `acra-enclave keys new`: fills the measured folder with keys, all of them sealed. */
import { Command } from 'commander';
import type { KeysOptions } from '../actions/keys.ts';

export function keysCommand(): Command {
  const create = new Command('new')
    .description('Make a master key, its KMS ciphertext, and a keystore and TLS key sealed under it.')
    .requiredOption('-e, --enclave <folder>', 'the measured folder with enclave.yaml')
    .requiredOption('--server-key <file>', "PEM of the server certificate's private key; delete it afterwards")
    .requiredOption('--client <files...>', 'certificates of the clients that get keys')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nUses your AWS credentials for kms:Encrypt. Nothing is overwritten: existing keys are an error.',
    )
    .action(async (options: KeysOptions) => {
      const { newKeys } = await import('../actions/keys.ts');
      await newKeys(options);
    });
  return new Command('keys').description('Make keys.').addCommand(create);
}
