/** Writes the measured folder of a demo: configuration, certificates, keys. What a user would write by hand and with `keys new`. */
import { X509Certificate } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { clientIdFromCertificate, clientNameFromCertificate } from '../../acra/client-id.ts';
import {
  type DatabaseLogin,
  loginOf,
  SECRET_SETTINGS,
  type SecretSetting,
  sealsSecrets,
} from '../../config/user-secrets.ts';
import { publicKeySha256 } from '../../encoding/public-key-hash.ts';
import { makeKeys } from '../../keys/ceremony.ts';
import type { EncryptOptions } from '../../kms/operator-encrypt.ts';
import { kmsEncrypt } from '../../kms/operator-encrypt.ts';
import { systemRandom } from '../../runtime/random.ts';
import { SecretBuffer } from '../../runtime/secret-buffer.ts';
import type { DemoCertificates } from './certificates.ts';
import { DATABASE_NAME, ENCLAVE_NAME } from './certificates.ts';
import { APPLICATION, DATABASE, ENCRYPTOR_YAML } from './database.ts';
import type { DemoOperator } from './operators.ts';

const GUARD_LIST = 'guard-list.yaml';
const CEREMONY_TIMEOUT_MS = 60_000;
const SECRET_FILES: Readonly<Record<SecretSetting, string>> = {
  secret: 'database/application.sealed',
  nextSecret: 'database/application.next.sealed',
};

export type YamlDocument = Record<string, unknown>;

export interface EnclaveFolderOptions {
  readonly folder: string;
  /** An enclave that shares its machine with others listens where it collides with none; default: as in an image. */
  readonly simulated?: { readonly acraSocketPath: string };
  readonly certificates: DemoCertificates;
  readonly kms: EncryptOptions;
  /** With some the parent keeps the keys, and none are made here; default: none. */
  readonly operators?: readonly DemoOperator[];
  /** Merged over the sections of enclave.yaml; the measured way to change anything. */
  readonly settings?: YamlDocument;
  /** What may receive values beside the protected tables (guard-list.yaml); default: nothing. */
  readonly guardList?: YamlDocument;
  /** Of the application's user in the database; default: its password alone. */
  readonly databaseSecrets?: Readonly<Partial<Record<SecretSetting, string>>>;
}

/** Where TLS ends in acra-server, it listens where it collides with no other, and clients log in to the database themselves. */
function endsTlsInAcra({ settings = {} }: EnclaveFolderOptions): boolean {
  return (settings['ingress'] as YamlDocument | undefined)?.['tls'] === 'passthrough';
}

/** In PEM. */
function clientsOf({ client, otherClients }: DemoCertificates): readonly string[] {
  return [client, ...otherClients].map(({ certificatePem }) => certificatePem);
}

function loginIn({ settings = {} }: EnclaveFolderOptions): DatabaseLogin {
  return loginOf((settings['database'] as { readonly login?: DatabaseLogin } | undefined) ?? {});
}

/** None where none is sealed. */
function secretsOf(options: EnclaveFolderOptions): [setting: SecretSetting, text: string][] {
  const { databaseSecrets = { secret: APPLICATION.password } } = options;
  if (endsTlsInAcra(options) || !sealsSecrets(loginIn(options)) || (options.operators ?? []).length > 0) return [];
  return SECRET_SETTINGS.flatMap((setting) => {
    const text = databaseSecrets[setting];
    return text === undefined ? [] : [[setting, text]];
  });
}

function enclaveYaml(options: EnclaveFolderOptions): YamlDocument {
  const { kms, simulated, settings = {}, certificates, guardList, operators = [] } = options;
  const inLine = endsTlsInAcra(options);
  const clients = clientsOf(certificates).map((pem) => clientNameFromCertificate(pem, 'distinguished_name'));
  const files = secretsOf(options).map(([setting]) => [setting, SECRET_FILES[setting]]);
  const user = { name: APPLICATION.user, clients, databases: [DATABASE], ...Object.fromEntries(files) };
  const base: Record<string, YamlDocument> = {
    acra: simulated === undefined || !inLine ? {} : { listen: `unix://${simulated.acraSocketPath}` },
    database: {
      serverName: DATABASE_NAME,
      ...(simulated === undefined ? {} : { listen: 'tcp://127.0.0.1:0' }),
      ...(files.length === 0 && operators.length === 0 && loginIn(options) !== 'rds-iam' ? {} : { users: [user] }),
    },
    ...(guardList === undefined ? {} : { guard: { list: GUARD_LIST } }),
    ...(operators.length === 0 ? {} : keysOfParent(operators)),
    kms: {
      region: kms.region,
      keyArn: kms.keyArn,
      encryptionContext: kms.encryptionContext,
      ...(kms.caPem === undefined ? {} : { ca: 'tls/kms-ca.pem' }),
    },
  };
  const merged: YamlDocument = { version: 1, name: 'demo' };
  for (const section of new Set([...Object.keys(base), ...Object.keys(settings)])) {
    merged[section] = { ...base[section], ...(settings[section] as YamlDocument | undefined) };
  }
  return merged;
}

/** Which demands that the enclave makes its TLS key itself, too. */
function keysOfParent(operators: readonly DemoOperator[]): Record<string, YamlDocument> {
  return {
    tls: { key: 'attested', names: [ENCLAVE_NAME] },
    keys: {
      source: 'parent',
      operators: operators.map(({ name }) => ({ name, key: operatorFile(name) })),
      ceremony: 'allowed',
    },
  };
}

function operatorFile(name: string): string {
  return `operators/${name}.pem`;
}

export async function writeEnclaveFolder(options: EnclaveFolderOptions): Promise<void> {
  const { folder, certificates, kms, guardList, operators = [] } = options;
  mkdirSync(join(folder, 'tls'), { recursive: true, mode: 0o700 });
  writeFileSync(join(folder, 'enclave.yaml'), stringify(enclaveYaml(options)));
  writeFileSync(join(folder, 'encryptor.yaml'), ENCRYPTOR_YAML);
  if (guardList !== undefined) writeFileSync(join(folder, GUARD_LIST), stringify({ version: 1, ...guardList }));
  writeFileSync(join(folder, 'tls/client-ca.pem'), certificates.applicationCaPem);
  const tls = options.settings?.['tls'] as YamlDocument | undefined;
  const makesOwnKey = tls?.['key'] === 'attested' || operators.length > 0;
  if (tls?.['certificate'] === 'operator-ca') {
    writeFileSync(join(folder, 'tls/server-ca.pem'), certificates.applicationCaPem);
  }
  if (!makesOwnKey) writeFileSync(join(folder, 'tls/server.pem'), certificates.server.certificatePem);
  writeFileSync(join(folder, 'tls/database-ca.pem'), certificates.databaseCaPem);
  if (kms.caPem !== undefined) writeFileSync(join(folder, 'tls/kms-ca.pem'), kms.caPem);
  if (operators.length > 0) {
    mkdirSync(join(folder, 'operators'), { mode: 0o700 });
    for (const { name, publicPem } of operators) writeFileSync(join(folder, operatorFile(name)), publicPem);
    return;
  }
  await writeKeys(options, makesOwnKey);
}

/** Which lie in the image. */
async function writeKeys(options: EnclaveFolderOptions, makesOwnKey: boolean): Promise<void> {
  const { folder, certificates, kms } = options;
  using serverKey = SecretBuffer.take(Buffer.from(certificates.server.privateKeyPem));
  using taken = new DisposableStack();
  const databaseSecrets = secretsOf(options).map(([setting, text]) => ({
    user: APPLICATION.user,
    secret: taken.use(SecretBuffer.take(Buffer.from(text))),
    sealedFile: join(folder, SECRET_FILES[setting]),
  }));
  await makeKeys({
    keystoreFolder: join(folder, 'keystore'),
    clientIds: clientsOf(certificates).map((pem) => clientIdFromCertificate(pem, 'distinguished_name')),
    ciphertextFile: join(folder, 'master-key.json'),
    keyArn: kms.keyArn,
    encryptionContext: kms.encryptionContext,
    tlsKey: makesOwnKey
      ? undefined
      : {
          sealedFile: join(folder, 'tls/server.key.sealed'),
          key: serverKey,
          sha256: publicKeySha256(new X509Certificate(certificates.server.certificatePem)),
        },
    databaseSecrets,
    random: systemRandom,
    encrypt: (plaintext) => kmsEncrypt(plaintext, kms),
    signal: AbortSignal.timeout(CEREMONY_TIMEOUT_MS),
  });
}
