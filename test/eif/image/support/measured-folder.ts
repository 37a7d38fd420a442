/** A measured folder with everything that its enclave.yaml names; nobody opens its keys here. */
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const ENCLAVE_YAML = `version: 1
name: test
ingress:
  tls: passthrough
database:
  serverName: db.example
kms:
  region: eu-central-1
  keyArn: arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab
  encryptionContext:
    purpose: acra-master-key
`;

const FILES: Readonly<Record<string, string>> = {
  'enclave.yaml': ENCLAVE_YAML,
  'encryptor.yaml':
    'schemas:\n  - table: notes\n    columns: [id, text]\n    encrypted:\n      - column: text\n        crypto_envelope: acrablock\n',
  'master-key.json': '{}\n',
  'tls/client-ca.pem': 'client CA\n',
  'tls/database-ca.pem': 'database CA\n',
  'tls/server.pem': 'certificate\n',
  'tls/server.key.sealed': 'sealed key\n',
  'keystore/client_hmac': 'sealed\n',
  'keystore/client_storage.pub': 'public\n',
  'keystore/.poison_key/poison_key_sym': 'sealed\n',
};

/** @param folder made here; must not exist */
export function writeMeasuredFolder(folder: string): string {
  for (const [name, text] of Object.entries(FILES)) {
    const path = join(folder, name);
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    writeFileSync(path, text);
    chmodSync(path, 0o600);
  }
  return folder;
}
