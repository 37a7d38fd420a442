/** What must never start: each wrong thing has its own code, acra-server is not launched, the public port does not open. */
import { appendFileSync, chmodSync, cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { parse, stringify } from 'yaml';
import { REGION } from '../../cli/demo/cloud.ts';
import type { EnclavePair } from '../../cli/demo/enclave-pair.ts';
import type { Stack } from '../../cli/demo/stack.ts';
import { encodeMasterKeyFile } from '../../keys/master-key-file.ts';
import { kmsEncrypt } from '../../kms/operator-encrypt.ts';
import { failedBoot, logLines, prepareStack } from '../support/stack.ts';

type Yaml = Record<string, Record<string, unknown>>;

interface Wrong {
  readonly what: string;
  readonly code: string;
  readonly phase: string;
  readonly make: (stack: Stack, folder: string, pair: EnclavePair) => Promise<void> | void;
  /** Whether KMS is told to trust the altered folder; otherwise only the original is allowed. */
  readonly allowed?: boolean;
}

function editYaml(folder: string, change: (yaml: Yaml) => void): void {
  const file = join(folder, 'enclave.yaml');
  const yaml = parse(readFileSync(file, 'utf8')) as Yaml;
  change(yaml);
  writeFileSync(file, stringify(yaml));
}

function flipByte(file: string, at: number): void {
  const bytes = readFileSync(file);
  bytes[at < 0 ? bytes.length + at : at]! ^= 1;
  writeFileSync(file, bytes);
}

type Context = Readonly<Record<string, string>>;

const kmsSection = (folder: string) =>
  (parse(readFileSync(join(folder, 'enclave.yaml'), 'utf8')) as { kms: { keyArn: string; encryptionContext: Context } })
    .kms;

/** A master key of this many bytes, and whatever else the file shall say; the plaintext is another one than the keystore's. */
async function replaceMasterKey(stack: Stack, folder: string, keyBytes: number, context?: Context): Promise<void> {
  const { kms } = stack.parts.cloud;
  const { accessKeyId, secretAccessKey } = kms.adminCredentials;
  const { keyArn, encryptionContext } = kmsSection(folder);
  const ciphertext = await kmsEncrypt(Buffer.alloc(keyBytes, 7), {
    region: REGION,
    keyArn: stack.parts.keyArn,
    encryptionContext: context ?? encryptionContext,
    endpoint: kms.url,
    caPem: kms.caPem,
    credentials: { accessKeyId, secretAccessKey },
  });
  writeFileSync(join(folder, 'master-key.json'), encodeMasterKeyFile({ keyArn, encryptionContext, ciphertext }));
}

const fault = (name: Parameters<Stack['parts']['cloud']['kms']['faults']['next']>[1]) => (stack: Stack) =>
  stack.parts.cloud.kms.faults.next('Decrypt', name);

const WRONGS: readonly Wrong[] = [
  {
    what: 'another measurement',
    code: 'KMS_ACCESS_DENIED',
    phase: 'master-key',
    allowed: false,
    make: (_stack, folder) => appendFileSync(join(folder, 'encryptor.yaml'), '# altered\n'),
  },
  {
    what: 'another encryption context than the master key was made under',
    code: 'MASTER_KEY_OTHER_CONTEXT',
    phase: 'master-key',
    make: (_stack, folder) =>
      editYaml(folder, (yaml) => Object.assign(yaml['kms'] ?? {}, { encryptionContext: { purpose: 'other' } })),
  },
  {
    what: 'another key ARN than the master key was made under',
    code: 'MASTER_KEY_OTHER_KEY',
    phase: 'master-key',
    make: async (stack, folder) => {
      const keyArn = await stack.parts.cloud.createKey();
      editYaml(folder, (yaml) => Object.assign(yaml['kms'] ?? {}, { keyArn }));
    },
  },
  {
    what: 'a damaged ciphertext',
    code: 'MASTER_KEY_FILE_DAMAGED',
    phase: 'master-key',
    make: (_stack, folder) => {
      const file = join(folder, 'master-key.json');
      const content = JSON.parse(readFileSync(file, 'utf8'));
      const ciphertext = Buffer.from(content.ciphertext, 'base64');
      ciphertext[20]! ^= 1;
      writeFileSync(file, JSON.stringify({ ...content, ciphertext: ciphertext.toString('base64') }));
    },
  },
  {
    what: 'a ciphertext of another encryption context in a file that hides it',
    code: 'KMS_INVALID_CIPHERTEXT',
    phase: 'master-key',
    make: (stack, folder) => replaceMasterKey(stack, folder, 32, { purpose: 'other' }),
  },
  {
    what: 'a ciphertext of another key in a file that hides it',
    code: 'KMS_INCORRECT_KEY',
    phase: 'master-key',
    make: async (stack, folder) => {
      const keyArn = await stack.parts.cloud.createKey();
      editYaml(folder, (yaml) => Object.assign(yaml['kms'] ?? {}, { keyArn }));
      await replaceMasterKey(stack, folder, 32);
      await stack.parts.cloud.putKeyPolicy(keyArn, stack.measure(folder));
    },
  },
  {
    what: 'an answer from KMS that was tampered with',
    code: 'CMS_',
    phase: 'master-key',
    make: fault({ kind: 'tamper-recipient-ciphertext', part: 'key' }),
  },
  {
    what: 'an answer whose key was changed in transit (CMS has no MAC)',
    code: 'KEYSTORE_FOREIGN',
    phase: 'keystore',
    make: fault({ kind: 'tamper-recipient-ciphertext', part: 'iv' }),
  },
  {
    what: 'an answer from KMS with the key in clear',
    code: 'KMS_PLAINTEXT_RETURNED',
    phase: 'master-key',
    make: fault({ kind: 'return-plaintext' }),
  },
  {
    what: 'an answer from KMS without CiphertextForRecipient',
    code: 'KMS_RECIPIENT_MISSING',
    phase: 'master-key',
    make: fault({ kind: 'omit-recipient-ciphertext' }),
  },
  {
    what: 'an answer from KMS that names another key',
    code: 'KMS_WRONG_KEY',
    phase: 'master-key',
    make: fault({ kind: 'wrong-key-id' }),
  },
  {
    what: 'a master key of 31 bytes',
    code: 'KEYSTORE_MASTER_KEY_LENGTH',
    phase: 'master-key',
    make: (stack, folder) => replaceMasterKey(stack, folder, 31),
  },
  {
    what: 'a master key of 33 bytes',
    code: 'KEYSTORE_MASTER_KEY_LENGTH',
    phase: 'master-key',
    make: (stack, folder) => replaceMasterKey(stack, folder, 33),
  },
  {
    what: 'a keystore of another master key',
    code: 'KEYSTORE_FOREIGN',
    phase: 'keystore',
    make: (stack, folder) => replaceMasterKey(stack, folder, 32),
  },
  {
    what: 'a missing keystore',
    code: 'KEYSTORE_MISSING',
    phase: 'keystore',
    make: (_stack, folder) => rmSync(join(folder, 'keystore'), { recursive: true }),
  },
  {
    what: 'an empty keystore',
    code: 'KEYSTORE_EMPTY',
    phase: 'keystore',
    make: (_stack, folder) => {
      for (const name of readdirSync(join(folder, 'keystore')))
        rmSync(join(folder, 'keystore', name), { recursive: true });
    },
  },
  {
    what: 'a file in the keystore that acra-server does not know',
    code: 'KEYSTORE_FILE_UNKNOWN',
    phase: 'keystore',
    make: (_stack, folder) => {
      writeFileSync(join(folder, 'keystore', 'encrypted_master_key'), 'x', { mode: 0o600 });
    },
  },
  {
    what: 'keystore permissions that acra-server refuses',
    code: 'KEYSTORE_PERMISSION',
    phase: 'keystore',
    make: (_stack, folder) => chmodSync(join(folder, 'keystore'), 0o755),
  },
  {
    what: 'a sealed TLS key that was tampered with',
    code: 'KEYSTORE_SEALED_FILE',
    phase: 'keystore',
    make: (_stack, folder) => flipByte(join(folder, 'tls/server.key.sealed'), -1),
  },
  {
    what: 'a sealed password of the database that was tampered with',
    code: 'KEYSTORE_SEALED_FILE',
    phase: 'keystore',
    make: (_stack, folder) => flipByte(join(folder, 'database/application.sealed'), -1),
  },
  {
    what: 'passwords for a database whose clients have their own',
    code: 'CONFIG_INVALID',
    phase: 'configuration',
    make: (_stack, folder) =>
      editYaml(folder, (yaml) => {
        yaml['database'] = { ...yaml['database'], login: 'client' };
      }),
  },
  {
    what: 'a misspelt key in encryptor.yaml',
    code: 'ENCRYPTOR_INVALID',
    phase: 'configuration',
    make: (_stack, folder) => {
      const file = join(folder, 'encryptor.yaml');
      writeFileSync(file, readFileSync(file, 'utf8').replace('searchable:', 'serchable:'));
    },
  },
  {
    what: 'an unknown key in enclave.yaml',
    code: 'CONFIG_INVALID',
    phase: 'configuration',
    make: (_stack, folder) => appendFileSync(join(folder, 'enclave.yaml'), 'colour: red\n'),
  },
  {
    what: 'a KMS that is not the one of the measured CA',
    code: 'KMS_TLS_UNTRUSTED',
    phase: 'kms-entropy',
    make: (_stack, folder) => cpSync(join(folder, 'tls/database-ca.pem'), join(folder, 'tls/kms-ca.pem')),
  },
];

t.test('an enclave does not start with', async (t) => {
  const stack = await prepareStack(t);
  await stack.allowMeasuredEnclave();
  for (const [index, { what, code, phase, make, allowed = true }] of WRONGS.entries()) {
    await t.test(`rejects ${what} (${code})`, async (t) => {
      const { folder, pair } = stack.copyEnclave(`e${index}`);
      await make(stack, folder, pair);
      if (allowed) await stack.parts.cloud.putKeyPolicy(stack.parts.keyArn, stack.measure(folder));
      const status = await failedBoot(pair);
      t.ok(
        status.enclave?.errorCode?.startsWith(code),
        `host-proxy says ${status.enclave?.errorCode}: ${status.enclave?.detail}`,
      );
      t.equal(status.enclave?.phase, phase);
      t.equal(status.publicAddress, null, 'the public port never opened');
      t.notOk(
        logLines(pair, 'supervisor').some(({ event }) => event === 'child.launched'),
        'acra-server was never started',
      );
      t.notOk(
        logLines(pair, 'host-proxy').some(({ event }) => event === 'ingress.opened'),
        'nor was the port open in between',
      );
      t.not(pair.supervisor?.exit?.code, 0);
      await pair.stop();
    });
  }
});
