/** Every operation that the emulated KMS knows, by the name in `X-Amz-Target: TrentService.<name>`. */
import { decrypt, encrypt, reEncrypt } from './encryption.ts';
import { generateDataKey, generateDataKeyWithoutPlaintext, generateRandom } from './generation.ts';
import type { Operation } from './input.ts';
import { generateDataKeyPair, generateDataKeyPairWithoutPlaintext } from './key-pairs.ts';
import { createKey, describeKey, disableKey, enableKey } from './keys.ts';
import { generateMac, verifyMac } from './macs.ts';
import { getKeyPolicy, putKeyPolicy } from './policies.ts';
import { deriveSharedSecret, getPublicKey } from './public-keys.ts';
import { sign, verify } from './signatures.ts';

export const OPERATIONS: ReadonlyMap<string, Operation> = new Map([
  ['CreateKey', createKey],
  ['Decrypt', decrypt],
  ['DeriveSharedSecret', deriveSharedSecret],
  ['DescribeKey', describeKey],
  ['DisableKey', disableKey],
  ['EnableKey', enableKey],
  ['Encrypt', encrypt],
  ['GenerateDataKey', generateDataKey],
  ['GenerateDataKeyPair', generateDataKeyPair],
  ['GenerateDataKeyPairWithoutPlaintext', generateDataKeyPairWithoutPlaintext],
  ['GenerateDataKeyWithoutPlaintext', generateDataKeyWithoutPlaintext],
  ['GenerateMac', generateMac],
  ['GenerateRandom', generateRandom],
  ['GetKeyPolicy', getKeyPolicy],
  ['GetPublicKey', getPublicKey],
  ['PutKeyPolicy', putKeyPolicy],
  ['ReEncrypt', reEncrypt],
  ['Sign', sign],
  ['Verify', verify],
  ['VerifyMac', verifyMac],
]);
