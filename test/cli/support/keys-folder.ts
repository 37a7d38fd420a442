/** A measured folder before its ceremony, with the files that a ceremony is given beside it, and a KMS that it names. */
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DecryptCommand } from '@aws-sdk/client-kms';
import type { Test } from 'tap';
import { stringify } from 'yaml';
import { checkKeystore } from '../../../acra/keystore/check.ts';
import { TLS_KEY_CONTEXT } from '../../../acra/keystore/seal-file.ts';
import { themis } from '../../../acra/keystore/themis.ts';
import { ENCRYPTOR_YAML } from '../../../cli/demo/database.ts';
import { SecretBuffer } from '../../../runtime/secret-buffer.ts';
import { type KmsFixture, kmsFixture, REGION } from '../../emulator/support/kms-fixture.ts';
import type { Issuer, Made, Shape } from '../../keys/support/certificate-maker.ts';
import { GOOD, makeCertificate } from '../../keys/support/certificate-maker.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { acraEnclave, type Outcome, type Run, start } from './acra-enclave.ts';

export interface KeysFolder {
  readonly kms: KmsFixture;
  readonly keyArn: string;
  readonly authority: Made;
  readonly server: Made;
  /** The measured folder. */
  readonly enclave: string;
  /** File of the server certificate's private key. */
  readonly serverKey: string;
  /** File of the certificate of the client that `doneKeysFolder` makes keys for. */
  readonly firstClient: string;
  /** A client certificate of the authority, as a file beside the folder. */
  client(change?: Shape, issuer?: Issuer): string;
  /** Writes a file below the root, the parent of the measured folder. @returns its path */
  write(name: string, content: string | Buffer): string;
  /** The first word may be the words of a group's command: `rotate data`. */
  keys(...words: readonly string[]): Promise<Outcome>;
  startKeys(...words: readonly string[]): Run;
  /** Another such folder with what is in this one now. */
  copy(t: Test): KeysFolder;
  /** Every file of the measured folder with its bytes. */
  content(): Readonly<Record<string, string>>;
}

interface Base {
  readonly kms: KmsFixture;
  readonly keyArn: string;
  readonly authority: Made;
  readonly server: Made;
}

export const FIRST_SUBJECT = 'first application';

class KeysFolderError extends Error {}

let counter = 0;

function folderAt(root: string, base: Base): KeysFolder {
  const enclave = join(root, 'enclave');
  const write = (name: string, content: string | Buffer): string => {
    const path = join(root, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
    return path;
  };
  const { accessKeyId, secretAccessKey } = base.kms.kms.adminCredentials;
  const environment = { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey };
  const words = ([name = '', ...rest]: readonly string[]) => [
    'keys',
    ...name.split(' '),
    '--enclave',
    enclave,
    ...rest,
  ];
  return {
    ...base,
    enclave,
    serverKey: join(root, 'server.key'),
    firstClient: join(root, 'first-client.pem'),
    write,
    client(change = {}, issuer = base.authority) {
      counter += 1;
      const shape = { ...GOOD.client, subject: `application ${counter}`, ...change };
      return write(`clients/${counter}.pem`, makeCertificate(shape, Date.now(), issuer).pem);
    },
    keys: (...rest) => acraEnclave(words(rest), environment),
    startKeys: (...rest) => start(words(rest), environment),
    copy(t) {
      const other = temporaryFolder(t);
      cpSync(root, other, { recursive: true });
      return folderAt(other, base);
    },
    content() {
      const names = readdirSync(enclave, { recursive: true, encoding: 'utf8' }).toSorted();
      const files = names.filter((name) => statSync(join(enclave, name)).isFile());
      return Object.fromEntries(files.map((name) => [name, readFileSync(join(enclave, name), 'hex')]));
    },
  };
}

export async function keysFolder(t: Test): Promise<KeysFolder> {
  const kms = await kmsFixture(t);
  const authority = makeCertificate(GOOD.authority, Date.now());
  const server = makeCertificate(GOOD.server, Date.now(), authority);
  const keyArn = await kms.createKey();
  const folder = folderAt(temporaryFolder(t), { kms, keyArn, authority, server });
  const yaml = {
    version: 1,
    name: 'test',
    ingress: { tls: 'passthrough' },
    database: { serverName: 'db.test' },
    kms: {
      region: REGION,
      keyArn,
      encryptionContext: { purpose: 'test' },
      endpoint: kms.kms.url,
      ca: 'tls/kms-ca.pem',
    },
  };
  folder.write('enclave/enclave.yaml', stringify(yaml));
  folder.write('enclave/encryptor.yaml', ENCRYPTOR_YAML);
  folder.write('enclave/tls/kms-ca.pem', kms.kms.caPem);
  folder.write('enclave/tls/client-ca.pem', authority.pem);
  folder.write('enclave/tls/database-ca.pem', authority.pem);
  folder.write('enclave/tls/server.pem', server.pem);
  folder.write('server.key', server.keyPem);
  folder.write(
    'first-client.pem',
    makeCertificate({ ...GOOD.client, subject: FIRST_SUBJECT }, Date.now(), authority).pem,
  );
  return folder;
}

/** The same after `keys new` for one client. */
export async function doneKeysFolder(t: Test): Promise<KeysFolder> {
  const folder = await keysFolder(t);
  const made = await folder.keys('new', '--server-key', folder.serverKey, '--client', folder.firstClient);
  if (made.code !== 0) throw new KeysFolderError(made.stderr);
  return folder;
}

/** As before `keys new`. */
export function removeKeys(folder: KeysFolder): KeysFolder {
  for (const name of ['keystore', 'master-key.json', 'tls/server.key.sealed']) {
    rmSync(join(folder.enclave, name), { recursive: true });
  }
  return folder;
}

export async function masterKeyOf(folder: KeysFolder): Promise<SecretBuffer> {
  const { ciphertext } = JSON.parse(readFileSync(join(folder.enclave, 'master-key.json'), 'utf8'));
  const { Plaintext: plaintext } = await folder.kms.admin.send(
    new DecryptCommand({
      CiphertextBlob: Buffer.from(ciphertext, 'base64'),
      EncryptionContext: { purpose: 'test' },
      KeyId: folder.keyArn,
    }),
  );
  return SecretBuffer.take(Buffer.from(plaintext ?? []));
}

export async function openSealedKey(folder: KeysFolder): Promise<string | undefined> {
  using masterKey = await masterKeyOf(folder);
  const sealed = readFileSync(join(folder.enclave, 'tls/server.key.sealed'));
  return masterKey.use((key) => themis.open(key, sealed, TLS_KEY_CONTEXT))?.toString();
}

/** Of a keystore in which nothing is wrong. */
export async function clientsOf(folder: KeysFolder): Promise<readonly string[]> {
  using masterKey = await masterKeyOf(folder);
  const report = await checkKeystore({ folder: join(folder.enclave, 'keystore'), masterKey, poisonDetection: true });
  if (report.findings.length > 0) throw new KeysFolderError(JSON.stringify(report.findings));
  return report.clientIds;
}
