/** CreateKey, DescribeKey, EnableKey and DisableKey (KMS API reference). */
import { z } from 'zod';
import { ACCOUNT_ID } from '../../principal.ts';
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
    KeyUsage: 'ENCRYPT_DECRYPT',
    KeyState: key.enabled ? 'Enabled' : 'Disabled',
    Origin: 'AWS_KMS',
    KeyManager: 'CUSTOMER',
    KeySpec: 'SYMMETRIC_DEFAULT',
    CustomerMasterKeySpec: 'SYMMETRIC_DEFAULT',
    EncryptionAlgorithms: ['SYMMETRIC_DEFAULT'],
    MultiRegion: false,
  };
}

export const createKey = operation(
  z.object({
    Policy: z.string().min(1).default(DEFAULT_POLICY_TEXT),
    Description: z.string().max(8192).default(''),
    KeySpec: z.string().default('SYMMETRIC_DEFAULT'),
    KeyUsage: z.string().default('ENCRYPT_DECRYPT'),
    Origin: z.string().default('AWS_KMS'),
    MultiRegion: z.boolean().default(false),
    BypassPolicyLockoutSafetyCheck: z.boolean().default(false),
  }),
  async (call, input) => {
    if (!call.principal.administrator) throw call.denied('*', 'only the administrator may create keys');
    const ordinary = input.KeySpec === 'SYMMETRIC_DEFAULT' && input.KeyUsage === 'ENCRYPT_DECRYPT';
    if (!ordinary || input.Origin !== 'AWS_KMS' || input.MultiRegion) {
      throw new ServiceError('UnsupportedOperationException', 'The emulator makes symmetric encryption keys only');
    }
    if (!input.BypassPolicyLockoutSafetyCheck) refuseLockout(call.principal, input.Policy);
    const key = await call.dependencies.keys.create({ description: input.Description, policyText: input.Policy });
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
