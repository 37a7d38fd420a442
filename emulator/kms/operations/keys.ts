/** CreateKey, DescribeKey, EnableKey and DisableKey (KMS API reference). */
import { z } from 'zod';
import { ACCOUNT_ID } from '../../principal.ts';
import type { KeyUsage } from '../key-kinds.ts';
import { KEY_KINDS, KEY_SPECS, KEY_USAGES } from '../key-kinds.ts';
import type { KmsKey } from '../key-store.ts';
import { DEFAULT_POLICY_TEXT } from '../policies.ts';
import { ServiceError } from '../service-error.ts';
import { keyIdSchema, operation } from './input.ts';
import { refuseLockout } from './policies.ts';

function metadata(key: KmsKey): object {
  return {
    AWSAccountId: ACCOUNT_ID,
    KeyId: key.keyId,
    Arn: key.arn,
    CreationDate: key.createdAtMs / 1000,
    Enabled: key.enabled,
    Description: key.description,
    KeyUsage: key.keyUsage,
    KeyState: key.enabled ? 'Enabled' : 'Disabled',
    Origin: 'AWS_KMS',
    KeyManager: 'CUSTOMER',
    KeySpec: key.keySpec,
    CustomerMasterKeySpec: key.keySpec,
    ...algorithmsOf(key),
    MultiRegion: false,
  };
}

/** As KMS names them in what it tells of a key. */
export function algorithmsOf({ keySpec, keyUsage }: KmsKey): object {
  const { algorithms } = KEY_KINDS[keySpec];
  return {
    ENCRYPT_DECRYPT: { EncryptionAlgorithms: ['SYMMETRIC_DEFAULT'] },
    SIGN_VERIFY: { SigningAlgorithms: algorithms },
    GENERATE_VERIFY_MAC: { MacAlgorithms: algorithms },
    KEY_AGREEMENT: { KeyAgreementAlgorithms: ['ECDH'] },
  }[keyUsage];
}

export const createKey = operation(
  z.object({
    Policy: z.string().min(1).default(DEFAULT_POLICY_TEXT),
    Description: z.string().max(8192).default(''),
    KeySpec: z.string().default('SYMMETRIC_DEFAULT'),
    KeyUsage: z.enum(KEY_USAGES).default('ENCRYPT_DECRYPT'),
    Origin: z.string().default('AWS_KMS'),
    MultiRegion: z.boolean().default(false),
    BypassPolicyLockoutSafetyCheck: z.boolean().default(false),
  }),
  async (call, input) => {
    if (!call.principal.administrator) throw call.denied('*', 'only the administrator may create keys');
    const keySpec = KEY_SPECS.find((each) => each === input.KeySpec);
    const usages: readonly KeyUsage[] = keySpec === undefined ? [] : KEY_KINDS[keySpec].usages;
    if (keySpec === undefined || !usages.includes(input.KeyUsage) || input.Origin !== 'AWS_KMS' || input.MultiRegion) {
      throw new ServiceError('UnsupportedOperationException', 'The emulator makes no keys of this kind');
    }
    if (!input.BypassPolicyLockoutSafetyCheck) refuseLockout(call.principal, input.Policy);
    const key = await call.dependencies.keys.create({
      description: input.Description,
      policyText: input.Policy,
      keySpec,
      keyUsage: input.KeyUsage,
    });
    call.facts.keyArn = key.arn;
    return { KeyMetadata: metadata(key) };
  },
);

export const describeKey = operation(z.object({ KeyId: keyIdSchema }), async (call, input) => {
  const key = call.findKey(input.KeyId);
  call.authorize({ key });
  return { KeyMetadata: metadata(key) };
});

function switchKey(enabled: boolean) {
  return operation(z.object({ KeyId: keyIdSchema }), async (call, input) => {
    const key = call.findKey(input.KeyId);
    call.authorize({ key });
    await call.dependencies.keys.setEnabled(key.keyId, enabled);
    return {};
  });
}

export const enableKey = switchKey(true);
export const disableKey = switchKey(false);
