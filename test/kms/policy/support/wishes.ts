/** An enclave with its people, as the tests of policies name them. */
import type { Registers } from '../../../../kms/policy/language/request-context.ts';
import type { PolicyWish } from '../../../../kms/policy/wish.ts';
import { toPcrIndex } from '../../../../wire/brands.ts';

export const KEY_ARN = 'arn:aws:kms:eu-central-1:111122223333:key/0f0f0f0f-0000-4000-8000-000000000000';
export const ROLE = 'arn:aws:iam::111122223333:role/acra-enclave';
export const ADMINISTRATOR = 'arn:aws:iam::111122223333:user/administrator';
export const RULER = 'arn:aws:iam::111122223333:role/four-eyes';
export const OTHER_ROLE = 'arn:aws:iam::111122223333:role/other';
export const ACCOUNT = 'arn:aws:iam::111122223333:root';

export function registers(values: Readonly<Record<number, string>>): Registers {
  return new Map(
    Object.entries(values).map(([index, byte]) => [toPcrIndex(Number(index)), Buffer.from(byte.repeat(48), 'hex')]),
  );
}

/** Of the image, the role and the runtime. */
export const IMAGE = registers({ 0: 'a0', 3: 'a3', 16: 'b6' });
export const NEXT_IMAGE = registers({ 0: 'c0', 3: 'a3', 16: 'd6' });
export const SIGNED = registers({ 1: 'a1', 2: 'a2', 3: 'a3', 8: 'a8' });

export const WISH: PolicyWish = {
  roleArn: ROLE,
  measurements: [IMAGE],
  administrators: [ADMINISTRATOR],
  policyAdministrators: [RULER],
  encryptionContext: { purpose: 'acra-master-key', application: 'demo' },
  keysBornInEnclave: false,
};

export const WISHES: Readonly<Record<string, PolicyWish>> = {
  'one image': WISH,
  'a signed image': { ...WISH, measurements: [SIGNED] },
  'two images during a roll-over': { ...WISH, measurements: [IMAGE, NEXT_IMAGE] },
  'keys born in the enclave': { ...WISH, keysBornInEnclave: true },
  'one generation of them': { ...WISH, keysBornInEnclave: true, generations: [7] },
  'one generation, two images': {
    ...WISH,
    keysBornInEnclave: true,
    generations: [7],
    measurements: [IMAGE, NEXT_IMAGE],
  },
  'a multi-Region key': { ...WISH, replicas: true },
  'nobody to rule': { ...WISH, policyAdministrators: [] },
  'no administrator and no context': { ...WISH, administrators: [], policyAdministrators: [], encryptionContext: {} },
  'several administrators': { ...WISH, administrators: [ADMINISTRATOR, OTHER_ROLE] },
};

const OF_APPLICATION = { ...WISH, encryptionContext: {} };
export const APP_WISHES: Readonly<Record<string, PolicyWish & { readonly uses: readonly string[] }>> = {
  'secrets and ciphertexts': { ...OF_APPLICATION, uses: ['Decrypt', 'GenerateDataKey', 'Encrypt'] },
  'two images': { ...OF_APPLICATION, measurements: [IMAGE, NEXT_IMAGE], uses: ['Decrypt', 'DeriveSharedSecret'] },
  signatures: { ...OF_APPLICATION, uses: ['Sign', 'Verify', 'GetPublicKey'] },
  're-encryption to the key': { ...OF_APPLICATION, uses: ['ReEncrypt', 'DescribeKey'] },
};
