/** Writes the measured folder of a demo: configuration, certificates, keys. What a user would write by hand and with `keys new`. */
import { X509Certificate } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { clientIdFromCertificate, clientNameFromCertificate } from '../../acra/client-id.ts';
import { makeKeys } from '../../keys/ceremony.ts';
import { publicKeySha256 } from '../../keys/tls/certificate-facts.ts';
import type { EncryptOptions } from '../../kms/operator-encrypt.ts';
import { kmsEncrypt } from '../../kms/operator-encrypt.ts';
import { systemRandom } from '../../runtime/random.ts';
import { SecretBuffer } from '../../runtime/secret-buffer.ts';
import type { DemoCertificates } from './certificates.ts';
import { DATABASE_NAME } from './certificates.ts';
import { APPLICATION, DATABASE, ENCRYPTOR_YAML } from './database.ts';

const CEREMONY_TIMEOUT_MS = 60_000;
const PASSWORD_FILE = 'database/application.sealed';

export type YamlDocument = Record<string, unknown>;

export interface EnclaveFolderOptions {
  readonly folder: string;
  /** An enclave that shares its machine with others listens where it collides with none; default: as in an image. */
  readonly simulated?: { readonly acraSocketPath: string };
  readonly certificates: DemoCertificates;
  readonly kms: EncryptOptions;
  /** Merged over the sections of enclave.yaml; the measured way to change anything. */
  readonly settings?: YamlDocument;
}

/** Where TLS ends in acra-server, it listens where it collides with no other, and clients log in to the database themselves. */
function endsTlsInAcra({ settings = {} }: EnclaveFolderOptions): boolean {
  return (settings['ingress'] as YamlDocument | undefined)?.['tls'] === 'passthrough';
}

/** In PEM. */
function clientsOf({ client, otherClients }: DemoCertificates): readonly string[] {
  return [client, ...otherClients].map(({ certificatePem }) => certificatePem);
}

function enclaveYaml(options: EnclaveFolderOptions): YamlDocument {
  const { kms, simulated, settings = {}, certificates } = options;
  const inLine = endsTlsInAcra(options);
  const clients = clientsOf(certificates).map((pem) => clientNameFromCertificate(pem, 'distinguished_name'));
  const users = [{ name: APPLICATION.user, clients, databases: [DATABASE], secret: PASSWORD_FILE }];
  const base: Record<string, YamlDocument> = {
    acra: simulated === undefined || !inLine ? {} : { listen: `unix://${simulated.acraSocketPath}` },
    database: {
      serverName: DATABASE_NAME,
      ...(simulated === undefined ? {} : { listen: 'tcp://127.0.0.1:0' }),
      ...(inLine ? {} : { users }),
    },
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

export async function writeEnclaveFolder(options: EnclaveFolderOptions): Promise<void> {
  const { folder, certificates, kms } = options;
  mkdirSync(join(folder, 'tls'), { recursive: true, mode: 0o700 });
  writeFileSync(join(folder, 'enclave.yaml'), stringify(enclaveYaml(options)));
  writeFileSync(join(folder, 'encryptor.yaml'), ENCRYPTOR_YAML);
  writeFileSync(join(folder, 'tls/client-ca.pem'), certificates.applicationCaPem);
  writeFileSync(join(folder, 'tls/server.pem'), certificates.server.certificatePem);
  writeFileSync(join(folder, 'tls/database-ca.pem'), certificates.databaseCaPem);
  if (kms.caPem !== undefined) writeFileSync(join(folder, 'tls/kms-ca.pem'), kms.caPem);
  using serverKey = SecretBuffer.take(Buffer.from(certificates.server.privateKeyPem));
  using password = SecretBuffer.take(Buffer.from(APPLICATION.password));
  await makeKeys({
    keystoreFolder: join(folder, 'keystore'),
    clientIds: clientsOf(certificates).map((pem) => clientIdFromCertificate(pem, 'distinguished_name')),
    ciphertextFile: join(folder, 'master-key.json'),
    keyArn: kms.keyArn,
    encryptionContext: kms.encryptionContext,
    sealedKeyFile: join(folder, 'tls/server.key.sealed'),
    serverKey,
    serverKeySha256: publicKeySha256(new X509Certificate(certificates.server.certificatePem)),
    passwords: endsTlsInAcra(options)
      ? []
      : [{ user: APPLICATION.user, password, sealedFile: join(folder, PASSWORD_FILE) }],
    random: systemRandom,
    encrypt: (plaintext) => kmsEncrypt(plaintext, kms),
    signal: AbortSignal.timeout(CEREMONY_TIMEOUT_MS),
  });
}
