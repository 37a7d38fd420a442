/** `acra-enclave keys new`: fills the measured folder with keys, all of them sealed. */

import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Command } from 'commander';
import { clientIdFromCertificate } from '../../acra/client-id.ts';
import type { EnclaveConfig } from '../../config/enclave.ts';
import { enclaveSchema } from '../../config/enclave.ts';
import { ConfigError } from '../../config/errors.ts';
import { loadConfig } from '../../config/load.ts';
import { makeKeys } from '../../keys/ceremony.ts';
import { systemRandom } from '../../runtime/random.ts';
import { SecretBuffer } from '../../runtime/secret-buffer.ts';
import { kmsEncrypt } from '../kms-encrypt.ts';
import { green, printJson, printLine, progress } from '../output.ts';

interface KeysOptions {
  readonly enclave: string;
  readonly serverKey: string;
  readonly client: readonly string[];
  readonly json?: boolean;
}

function readInput(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (cause) {
    throw new ConfigError('CONFIG_FILE_READ', `cannot read ${file}`, { cause });
  }
}

function encryptWith(config: EnclaveConfig, folder: string): (plaintext: Buffer) => Promise<Buffer> {
  const { kms } = config;
  return (plaintext) =>
    kmsEncrypt(plaintext, {
      region: kms.region,
      keyArn: kms.keyArn,
      encryptionContext: kms.encryptionContext,
      ...(kms.endpoint === undefined ? {} : { endpoint: kms.endpoint }),
      ...(kms.ca === undefined ? {} : { caPem: readInput(join(folder, kms.ca)).toString('utf8') }),
    });
}

async function newKeys(options: KeysOptions): Promise<void> {
  const folder = resolve(options.enclave);
  const config = loadConfig(enclaveSchema, join(folder, 'enclave.yaml'));
  const clientIds = options.client.map((file) =>
    clientIdFromCertificate(readInput(file).toString('utf8'), config.acra.clientIdFrom),
  );
  progress(`encrypting a new master key under ${config.kms.keyArn}`);
  using serverKey = SecretBuffer.take(readInput(options.serverKey));
  await makeKeys({
    keystoreFolder: join(folder, config.acra.keystore),
    clientIds,
    ciphertextFile: join(folder, config.kms.ciphertext),
    sealedKeyFile: join(folder, config.acra.sealedKey),
    serverKey,
    random: systemRandom,
    keyArn: config.kms.keyArn,
    encryptionContext: config.kms.encryptionContext,
    encrypt: encryptWith(config, folder),
  });
  if (options.json) printJson({ keystore: join(folder, config.acra.keystore), clientIds });
  else for (const id of clientIds) printLine(`${green('made')} keys of client ${id}`);
}

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
    .action(newKeys);
  return new Command('keys').description('Make keys.').addCommand(create);
}
