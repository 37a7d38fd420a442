/** `acra-enclave keys new`: fills the measured folder with keys, all of them sealed. */
import { join } from 'node:path';
import { Command } from 'commander';
import { requireKms } from '../../../config/kms.ts';
import { sealedTlsKeyOf } from '../../../config/tls.ts';
import { loginOf } from '../../../config/user-secrets.ts';
import { makeKeys } from '../../../keys/ceremony.ts';
import { readCeremonyInput } from '../../../keys/ceremony-input.ts';
import { requirePlannedKeys } from '../../../keys/folder-check.ts';
import { secretFormOf } from '../../../keys/secret-form.ts';
import { kmsEncrypt } from '../../../kms/operator-encrypt.ts';
import { systemRandom } from '../../../runtime/random.ts';
import { CliError } from '../../errors.ts';
import { requireImageKeys } from '../../keys/source.ts';
import { keysContext, kmsOf, secretsToSeal } from '../../keys-context.ts';
import { green, printJson, printLine, progress, yellow } from '../../output.ts';
import { untilStopped } from '../../until-signal.ts';

interface NewOptions {
  readonly enclave: string;
  readonly serverKey?: string;
  readonly client: readonly string[];
  readonly databaseUser?: readonly string[];
  readonly nextDatabaseUser?: readonly string[];
  readonly json?: boolean;
}

async function newKeys(options: NewOptions): Promise<void> {
  const context = keysContext(options.enclave);
  requireImageKeys(context, 'keys ceremony, when the enclave runs');
  const { folder, config } = context;
  using input = readCeremonyInput(context, {
    serverKey: options.serverKey,
    clients: options.client,
    databaseUsers: { secret: options.databaseUser ?? [], nextSecret: options.nextDatabaseUser ?? [] },
    demand: 'all',
  });
  const { serverKey, serverKeySha256, clients } = input;
  const files = sealedTlsKeyOf(config);
  if (files !== undefined && serverKey === undefined) throw new CliError('CLI_OPTION', '--server-key is missing');
  const tlsKey =
    files === undefined || serverKey === undefined
      ? undefined
      : { sealedFile: join(folder, files.sealedKey), key: serverKey, sha256: serverKeySha256 };
  const clientIds = clients.map(({ clientId }) => clientId);
  await requirePlannedKeys(folder, config, clientIds);
  const { keyArn, encryptionContext, ciphertext } = requireKms(config);
  progress(`encrypting a new master key under ${keyArn}`);
  const keystore = join(folder, config.acra.keystore);
  await untilStopped((signal) =>
    makeKeys({
      keystoreFolder: keystore,
      clientIds,
      ciphertextFile: join(folder, ciphertext),
      tlsKey,
      databaseSecrets: secretsToSeal(folder, input),
      random: systemRandom,
      keyArn,
      encryptionContext,
      encrypt: (plaintext) => kmsEncrypt(plaintext, kmsOf(context, signal)),
      signal,
    }),
  );
  const users = [...new Set(input.databaseSecrets.map(({ user }) => user))];
  if (options.json) {
    printJson({ keystore, clientIds, ...(users.length === 0 ? {} : { databaseUsers: users }) });
    return;
  }
  for (const { file, clientId } of clients) printLine(`${green('made')} keys of client ${clientId} (${file})`);
  const { what } = secretFormOf(loginOf(config.database));
  for (const user of users) printLine(`${green('sealed')} the ${what} of database user ${user}`);
  printLine(yellow(FOR_TRYING_OUT));
}

const FOR_TRYING_OUT =
  'This machine has held all of these keys: they are for trying out. With `keys ceremony` an enclave makes its keys, and nobody sees them.';

const HELP = `
For trying out, and where no key need be rotated: the keys are made on this machine, which holds all of them for a moment, and every change
is another image. For keys that nobody has ever seen set \`keys.source: parent\`, and have the enclave make them with \`keys ceremony\`
(docs/keys.md).

Uses your AWS credentials for kms:Encrypt. All is made or nothing, and nothing is overwritten: existing keys are an error.

What to keep afterwards:
  - The measured folder, in more than one place. Without master-key.json and the keystore all encrypted data is lost.
  - The server key is in the folder, sealed; the plain file is not needed any more, and whoever has it can pose as the
    enclave: delete it, or lock it away. Its certificate can be renewed without it when the CA takes the old request (CSR)
    again or when you keep the key: the new certificate of the same key takes the place of the old one, nothing is sealed.
  - The passwords (or verifiers) of database users are in the folder, sealed; the plain files are not needed any more: delete them. Each
    holds one line. \`<(command)\` of the shell does as well as a file, so that none is written.
  - A certificate with another key or another password of a database user needs \`keys seal\`, a further client \`keys add-client\`. Both need kms:Decrypt without
    attestation, which the key policy should allow nobody. So name with --client also clients that come later: keys belong to
    the subject of a certificate, and the certificate that the client will have may be another one.`;

export function newCommand(): Command {
  return new Command('new')
    .description(
      'For trying out: make a master key, its KMS ciphertext, and a keystore, TLS key and secrets of database users sealed under it.',
    )
    .requiredOption('-e, --enclave <folder>', 'the measured folder with enclave.yaml and its certificates')
    .option('--server-key <file>', "PEM of the server certificate's private key; left out with `tls.key: attested`")
    .requiredOption('--client <files...>', 'certificates of the clients that get keys')
    .option(
      '--database-user <name=file...>',
      'for each user of `database.users` in enclave.yaml, the file that holds its password (or verifier)',
    )
    .option('--next-database-user <name=file...>', 'the same for each user with a `nextSecret`')
    .option('--json', 'print JSON')
    .addHelpText('after', HELP)
    .action(newKeys);
}
