/**
 * An operator's own share: the key set that came over the parent is judged as the enclave judges it, and opened with the private key that
 * nobody else has. What does not have the hash that stands in the set is never sent anywhere.
 */
import { open } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { firstKeySet } from '../../host-proxy/keys/key-answers.ts';
import { KeyError } from '../../keys/errors.ts';
import { KeeperError } from '../../keys/keepers/errors.ts';
import { readDecryptionKey } from '../../keys/keepers/operator-keys.ts';
import { openOperatorShare } from '../../keys/keepers/operator-share.ts';
import { decodeKeySet, type KeySet, keySetDigest } from '../../keys/set/key-set.ts';
import { parseTranscript, type ReadTranscript, readTranscript } from '../../keys/set/transcript.ts';
import type { SecretBuffer } from '../../runtime/secret-buffer.ts';
import type { DaemonOption } from '../ask-daemon.ts';
import { readPassphrase } from '../measurements/files.ts';
import { askFor } from './ask-keys.ts';
import type { ProvenEnclave } from './proven-enclave.ts';

const MAX_KEY_FILE_BYTES = 16 * 1024;
const OTHERS = 0o077;

export interface JudgedKeySet {
  readonly set: KeySet;
  readonly sha256: string;
  readonly transcript: ReadTranscript;
}

/**
 * The set that the parent brings, if it is one of this enclave.
 * @throws KeyError KEY_SET_INVALID, KEY_SET_OTHER_ENCLAVE, KEY_TRANSCRIPT_…; CodedError of the daemon
 */
export async function judgeFirstSet(options: DaemonOption, enclave: ProvenEnclave): Promise<JudgedKeySet> {
  const answer = await askFor(options, { command: 'key-set' }, firstKeySet);
  const encoding = Buffer.from(answer.keySet, 'base64');
  const set = decodeKeySet(encoding);
  if (set.name !== enclave.name) {
    const details = { found: set.name, allowed: enclave.name };
    throw new KeyError('KEY_SET_OTHER_ENCLAVE', 'the key set is of another enclave', details);
  }
  const { rootDer, image, madeIn } = enclave;
  const demands = { rootDer, images: [image, ...madeIn] };
  const transcript = readTranscript(parseTranscript(Buffer.from(answer.transcript, 'base64')), encoding, demands);
  return { set, sha256: keySetDigest(encoding), transcript };
}

/** @throws KeeperError KEY_OPERATOR_KEY_INVALID: it cannot be read, or others may read it */
async function readPrivateFile(path: string): Promise<Buffer> {
  const invalid = (message: string, details: object) =>
    new KeeperError('KEY_OPERATOR_KEY_INVALID', `${path}: ${message}`, details);
  const handle = await open(resolve(path)).catch((cause: unknown) => {
    throw invalid('it cannot be read', { cause });
  });
  try {
    const { mode, size } = await handle.stat();
    if ((mode & OTHERS) !== 0) {
      throw invalid('others may read it', { found: `mode ${(mode & 0o777).toString(8)}`, allowed: 'mode 600' });
    }
    if (size > MAX_KEY_FILE_BYTES) throw invalid('it is too large for a key', { found: `${size} bytes` });
    return await handle.readFile();
  } finally {
    await handle.close();
  }
}

/**
 * @param key file of the private key; the passphrase's where it is encrypted
 * @throws KeeperError KEY_OPERATOR_KEY_INVALID, KEY_OPERATOR_KEY_ENCRYPTED, KEY_SHARE_…; KeyError KEY_SET_OTHER_KEEPER
 */
export async function openOwnShare(
  set: KeySet,
  { key, passphraseFile }: { readonly key: string; readonly passphraseFile?: string },
): Promise<{ readonly operator: string; readonly share: SecretBuffer }> {
  const pem = await readPrivateFile(key);
  try {
    using passphrase = passphraseFile === undefined ? undefined : readPassphrase(passphraseFile);
    return await openOperatorShare(set, readDecryptionKey(basename(key), pem, passphrase));
  } finally {
    pem.fill(0);
  }
}
