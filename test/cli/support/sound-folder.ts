/** A measured folder in which `eif build` finds nothing wrong: real certificates, and a file for every key. Nobody opens those here. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { publicKeySha256 } from '../../../encoding/public-key-hash.ts';
import { encodeMasterKeyFile } from '../../../keys/master-key-file.ts';
import { writeMeasuredFolder } from '../../eif/image/support/measured-folder.ts';
import { GOOD, makeCertificate, type Shape } from '../../keys/support/certificate-maker.ts';

const authority = makeCertificate(GOOD.authority, Date.now());
const server = makeCertificate(GOOD.server, Date.now(), authority);

export function writeServerCertificate(folder: string, change: Shape = {}): void {
  const shape = { ...GOOD.server, key: server.key, ...change };
  writeFileSync(join(folder, 'tls/server.pem'), makeCertificate(shape, Date.now(), authority).pem);
}

/** A Secure Cell of one byte, by its header. */
function cell(): Buffer {
  const lengths = [0x40010100, 12, 16, 1].map((value) => {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32LE(value);
    return bytes;
  });
  return Buffer.concat([...lengths, Buffer.alloc(29)]);
}

/** By its header too. */
function publicKey(): Buffer {
  const bytes = Buffer.alloc(45);
  bytes.write('UEC2');
  bytes.writeUInt32BE(bytes.length, 4);
  return bytes;
}

/** @param folder made here; must not exist */
export function writeSoundFolder(folder: string): string {
  writeMeasuredFolder(folder);
  const write = (name: string, text: string | Buffer) => writeFileSync(join(folder, name), text, { mode: 0o600 });
  write('tls/client-ca.pem', authority.pem);
  write('tls/database-ca.pem', authority.pem);
  writeServerCertificate(folder);
  const sealed = ['client_storage_sym', 'client_hmac', '.poison_key/poison_key', '.poison_key/poison_key_sym'];
  for (const name of sealed) write(`keystore/${name}`, cell());
  for (const name of ['client_storage.pub', '.poison_key/poison_key.pub']) write(`keystore/${name}`, publicKey());
  write('tls/server.key.sealed', cell());
  const keyArn = 'arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab';
  const encryptionContext = { purpose: 'acra-master-key' };
  const noted = { ciphertext: Buffer.from('ciphertext'), serverKeySha256: publicKeySha256(server.certificate) };
  write('master-key.json', encodeMasterKeyFile({ keyArn, encryptionContext, ...noted }));
  return folder;
}
