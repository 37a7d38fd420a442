/** `acra-enclave keys seal`: seals another TLS key, or other passwords of database users, under the master key that there is. */
import { join } from 'node:path';
import { Command } from 'commander';
import { readCeremonyInput } from '../../../keys/ceremony-input.ts';
import { sealSecrets } from '../../../keys/renewal.ts';
import { CliError } from '../../errors.ts';
import { keysContext, kmsOf, passwordsToSeal } from '../../keys-context.ts';
import { kmsDecrypt } from '../../kms-decrypt.ts';
import { green, printJson, printLine, progress } from '../../output.ts';
import { untilStopped } from '../../until-signal.ts';

interface SealOptions {
  readonly enclave: string;
  readonly serverKey?: string;
  readonly databaseUser?: readonly string[];
  readonly json?: boolean;
}

async function seal({ enclave, serverKey: keyFile, databaseUser = [], json }: SealOptions): Promise<void> {
  if (keyFile === undefined && databaseUser.length === 0) {
    throw new CliError('CLI_OPTION', 'nothing to seal is named', { allowed: '--server-key, --database-user, or both' });
  }
  const context = keysContext(enclave);
  const { folder, config } = context;
  using input = readCeremonyInput(context, { serverKey: keyFile, clients: [], databaseUsers: databaseUser });
  const { serverKey, serverKeySha256 } = input;
  const passwords = passwordsToSeal(folder, input);
  progress(`decrypting the master key under ${config.kms.keyArn}`);
  await untilStopped((signal) =>
    sealSecrets({
      ...context,
      serverKey,
      serverKeySha256,
      passwords,
      decrypt: (ciphertext) => kmsDecrypt(ciphertext, kmsOf(context, signal)),
      signal,
    }),
  );
  const sealedKey = serverKey === undefined ? [] : [join(folder, config.acra.sealedKey)];
  const sealedPasswords = passwords.map(({ sealedFile }) => sealedFile);
  if (json) {
    printJson({
      ...(serverKey === undefined ? {} : { sealedKey: sealedKey[0] }),
      ...(passwords.length === 0 ? {} : { sealedPasswords }),
    });
    return;
  }
  for (const file of [...sealedKey, ...sealedPasswords]) printLine(`${green('sealed')} ${file}`);
}

const HELP = `
For a server certificate with another key: put it at \`acra.certificate\` first. A renewed certificate of the same key needs no
sealing. A password must be changed in the database too when the new image takes over; that of a user who is new in enclave.yaml
is sealed in the same way. A password file holds one line.

Uses your AWS credentials for kms:Decrypt of the master key, without attestation; a strict key policy refuses that,
and the message says what would have to be allowed for a moment. All is replaced in one step, or nothing. The folder changes,
and PCR0 with it: build the image again, and let the key policy name the new measurements.`;

export function sealCommand(): Command {
  return new Command('seal')
    .description(
      'Seal the key of another server certificate, or passwords of database users, under the same master key.',
    )
    .requiredOption('-e, --enclave <folder>', 'the measured folder with its keys and the new certificate')
    .option('--server-key <file>', "PEM of the server certificate's private key")
    .option(
      '--database-user <name=file...>',
      'user of `database.users` in enclave.yaml, and the file that holds its password',
    )
    .option('--json', 'print JSON')
    .addHelpText('after', HELP)
    .action(seal);
}
