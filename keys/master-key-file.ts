/**
 * `master-key.json`: the master key's KMS ciphertext with what it was encrypted under. KMS answers a wrong encryption
 * context and a damaged blob with the same InvalidCiphertextException, so both are told apart here, before KMS is asked.
 * Nothing here replaces KMS's own check: the file is as trustworthy as the measured folder it lies in.
 */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { isSameKeyMaterial } from '../config/aws-names.ts';
import { KeyError } from './errors.ts';

/** KMS ciphertexts of up to 4096 plaintext bytes stay below this. */
const MAX_CIPHERTEXT_BYTES = 6144;

const hex = z.string().regex(/^[0-9a-f]{64}$/);

const masterKeyFile = z.strictObject({
  version: z.literal(1),
  keyArn: z.string(),
  encryptionContext: z.record(z.string(), z.string()),
  ciphertext: z.base64(),
  sha256: hex,
  serverKeySha256: hex.exactOptional(),
});

export interface EncryptedMasterKey {
  readonly keyArn: string;
  readonly encryptionContext: Readonly<Record<string, string>>;
  readonly ciphertext: Buffer;
  /**
   * SHA-256 of the public half (SubjectPublicKeyInfo) of the TLS key that was sealed last, in hex: so that a server certificate
   * of another key is noticed where the sealed key cannot be opened.
   */
  readonly serverKeySha256?: string | undefined;
}

const digest = (ciphertext: Buffer) => createHash('sha256').update(ciphertext).digest('hex');
const canonical = (context: Readonly<Record<string, string>>) => JSON.stringify(Object.entries(context).sort());

export function encodeMasterKeyFile(key: EncryptedMasterKey): string {
  const { keyArn, encryptionContext, ciphertext, serverKeySha256 } = key;
  const content = {
    version: 1,
    keyArn,
    encryptionContext,
    ciphertext: ciphertext.toString('base64'),
    sha256: digest(ciphertext),
    ...(serverKeySha256 === undefined ? {} : { serverKeySha256 }),
  };
  return `${JSON.stringify(content, null, 2)}\n`;
}

function parseContent(text: string) {
  try {
    return masterKeyFile.parse(JSON.parse(text));
  } catch (cause) {
    throw new KeyError('MASTER_KEY_FILE_INVALID', 'the master key’s file has another form', { cause });
  }
}

/**
 * The ciphertext, when it is whole and was made under the configured key and context. A multi-Region key opens what its
 * replica in another region encrypted.
 * @throws KeyError MASTER_KEY_FILE_INVALID, MASTER_KEY_FILE_DAMAGED, MASTER_KEY_OTHER_KEY, MASTER_KEY_OTHER_CONTEXT
 */
export function parseMasterKeyFile(
  text: string,
  expected: Pick<EncryptedMasterKey, 'keyArn' | 'encryptionContext'>,
): Buffer {
  const file = parseContent(text);
  const ciphertext = Buffer.from(file.ciphertext, 'base64');
  if (ciphertext.length === 0 || ciphertext.length > MAX_CIPHERTEXT_BYTES) {
    throw new KeyError('MASTER_KEY_FILE_INVALID', 'the ciphertext has an impossible length', {
      found: `${ciphertext.length} bytes`,
      allowed: `1 to ${MAX_CIPHERTEXT_BYTES} bytes`,
    });
  }
  if (digest(ciphertext) !== file.sha256) {
    throw new KeyError('MASTER_KEY_FILE_DAMAGED', 'the ciphertext is not the one that was written');
  }
  if (!isSameKeyMaterial(file.keyArn, expected.keyArn)) {
    throw new KeyError('MASTER_KEY_OTHER_KEY', 'the master key was encrypted under another KMS key', {
      found: file.keyArn,
      allowed: expected.keyArn,
    });
  }
  if (canonical(file.encryptionContext) !== canonical(expected.encryptionContext)) {
    throw new KeyError('MASTER_KEY_OTHER_CONTEXT', 'the master key was encrypted under another encryption context', {
      found: canonical(file.encryptionContext),
      allowed: canonical(expected.encryptionContext),
    });
  }
  return ciphertext;
}

/** Of the key that the file says was sealed last. @throws KeyError MASTER_KEY_FILE_INVALID */
export function sealedServerKey(text: string): string | undefined {
  return parseContent(text).serverKeySha256;
}
