/** `acra-enclave keys seal`: seals another TLS key, or other secrets of database users, under the master key that there is. */
import { join } from 'node:path';
import { Command } from 'commander';
import { requireKms } from '../../../config/kms.ts';
import { sealedTlsKeyOf } from '../../../config/tls.ts';
import { readCeremonyInput } from '../../../keys/ceremony-input.ts';
import { sealSecrets } from '../../../keys/renewal.ts';
import { CliError } from '../../errors.ts';
import { type RequestOptions, withRequestOptions } from '../../keys/enclave-options.ts';
import type { Seal } from '../../keys/make-request.ts';
import { runChange } from '../../keys/run-change.ts';
import { sealEach } from '../../keys/sealed-secrets.ts';
import { asksEnclave } from '../../keys/source.ts';
import type { KeysContext } from '../../keys-context.ts';
import { keysContext, kmsOf, secretsToSeal } from '../../keys-context.ts';
import { kmsDecrypt } from '../../kms-decrypt.ts';
import { green, printJson, printLine, progress } from '../../output.ts';
import { untilStopped } from '../../until-signal.ts';

interface SealOptions extends RequestOptions {
  readonly serverKey?: string;
  readonly databaseUser?: readonly string[];
  readonly nextDatabaseUser?: readonly string[];
}

/** In a running enclave. */
async function sealInEnclave(options: SealOptions, context: KeysContext): Promise<void> {
  const { serverKey, nextDatabaseUser, databaseUser = [] } = options;
  if (serverKey !== undefined || nextDatabaseUser !== undefined) {
    throw new CliError('CLI_OPTION', 'an enclave that makes its keys takes no TLS key, and one secret of each user', {
      allowed: '--database-user; `keys rotate database` makes a second password',
    });
  }
  using input = readCeremonyInput(context, { clients: [], databaseUsers: { secret: databaseUser, nextSecret: [] } });
  const plan = async (seal: Seal) => ({ kind: 'seal' as const, secrets: await sealEach(input.databaseSecrets, seal) });
  await runChange(options, context, { kind: 'seal', plan });
}

async function seal(options: SealOptions): Promise<void> {
  const { enclave, serverKey: keyFile, json } = options;
  const { databaseUser: secret = [], nextDatabaseUser: nextSecret = [] } = options;
  if (keyFile === undefined && secret.length + nextSecret.length === 0) {
    const allowed = '--server-key, --database-user, --next-database-user, or several of them';
    throw new CliError('CLI_OPTION', 'nothing to seal is named', { allowed });
  }
  const context = keysContext(enclave);
  if (asksEnclave(context, options)) {
    await sealInEnclave(options, context);
    return;
  }
  const { folder, config } = context;
  const databaseUsers = { secret, nextSecret };
  using input = readCeremonyInput(context, { serverKey: keyFile, clients: [], databaseUsers });
  const { serverKey, serverKeySha256 } = input;
  const databaseSecrets = secretsToSeal(folder, input);
  progress(`decrypting the master key under ${requireKms(config).keyArn}`);
  await untilStopped((signal) =>
    sealSecrets({
      ...context,
      serverKey,
      serverKeySha256,
      databaseSecrets,
      decrypt: (ciphertext) => kmsDecrypt(ciphertext, kmsOf(context, signal)),
      signal,
    }),
  );
  const sealedKey = [serverKey && sealedTlsKeyOf(config)?.sealedKey].flatMap((file) =>
    file ? join(folder, file) : [],
  );
  const sealedSecrets = databaseSecrets.map(({ sealedFile }) => sealedFile);
  if (json) {
    printJson({
      ...(serverKey === undefined ? {} : { sealedKey: sealedKey[0] }),
      ...(sealedSecrets.length === 0 ? {} : { sealedSecrets }),
    });
    return;
  }
  for (const file of [...sealedKey, ...sealedSecrets]) printLine(`${green('sealed')} ${file}`);
}

const HELP = `
With \`keys.source: parent\` in enclave.yaml the running enclave takes passwords (or verifiers) of database users, encrypted to it, and no
session ends: it needs --database-user, --measurements, and --key or --out (docs/keys.md). Otherwise --measurements, --key and --out are left out.

For a server certificate with another key: put it at \`acra.certificate\` first. A renewed certificate of the same key needs no
sealing. A file of a database user holds its password on one line, or its verifier with \`database.login: verifier\`; that of a user who
is new in enclave.yaml is sealed in the same way. One that is sealed as \`nextSecret\` can be changed in the database at any time after
the new image runs, without an outage (docs/database-login.md says how, step by step).

Uses your AWS credentials for kms:Decrypt of the master key, without attestation; a strict key policy refuses that,
and the message says what would have to be allowed for a moment. All is replaced in one step, or nothing. The folder changes,
and PCR0 with it: build the image again, and let the key policy name the new measurements.`;

export function sealCommand(): Command {
  const command = new Command('seal')
    .description('Seal the key of another server certificate, or secrets of database users, under the same master key.')
    .requiredOption('-e, --enclave <folder>', 'the measured folder with its keys and the new certificate')
    .option('--server-key <file>', "PEM of the server certificate's private key")
    .option(
      '--database-user <name=file...>',
      'user of `database.users` in enclave.yaml, and the file that holds its password (or verifier)',
    )
    .option('--next-database-user <name=file...>', 'the same for its `nextSecret`');
  return withRequestOptions(command).option('--json', 'print JSON').addHelpText('after', HELP).action(seal);
}
