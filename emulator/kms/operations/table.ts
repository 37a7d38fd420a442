/** Every operation that the emulated KMS knows, by the name in `X-Amz-Target: TrentService.<name>`. */
import { decrypt, encrypt } from './encryption.ts';
import { generateDataKey, generateRandom } from './generation.ts';
import type { Operation } from './input.ts';
import { createKey, describeKey, disableKey, enableKey } from './keys.ts';
import { getKeyPolicy, putKeyPolicy } from './policies.ts';

export const OPERATIONS: ReadonlyMap<string, Operation> = new Map([
  ['CreateKey', createKey],
  ['Decrypt', decrypt],
  ['DescribeKey', describeKey],
  ['DisableKey', disableKey],
  ['EnableKey', enableKey],
  ['Encrypt', encrypt],
  ['GenerateDataKey', generateDataKey],
  ['GenerateRandom', generateRandom],
  ['GetKeyPolicy', getKeyPolicy],
  ['PutKeyPolicy', putKeyPolicy],
]);
