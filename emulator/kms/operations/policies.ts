/** GetKeyPolicy and PutKeyPolicy (KMS API reference). */
import { z } from 'zod';
import type { Principal } from '../../principal.ts';
import { parseKeyPolicy } from '../policy/document.ts';
import { evaluatePolicy } from '../policy/evaluate.ts';
import { ServiceError } from '../service-error.ts';
import { keyIdSchema, operation } from './input.ts';

/** The only name that a key policy can have. */
const policyNameSchema = z.literal('default').default('default');

/**
 * KMS's lockout safety check: whoever sets a policy must still be able to change it.
 * @throws ServiceError MalformedPolicyDocumentException
 */
export function refuseLockout(principal: Principal, policyText: string): void {
  const request = { principal, action: 'kms:PutKeyPolicy', keyArn: '*', context: new Map<string, string>() };
  if (evaluatePolicy(parseKeyPolicy(policyText), request) === 'allow') return;
  throw new ServiceError(
    'MalformedPolicyDocumentException',
    'The policy would not let its author change it again; set BypassPolicyLockoutSafetyCheck to allow that',
  );
}

export const getKeyPolicy = operation(
  z.object({ KeyId: keyIdSchema, PolicyName: policyNameSchema }),
  async (call, input) => {
    const key = call.findKey(input.KeyId);
    call.authorize({ key });
    return { Policy: key.policyText, PolicyName: input.PolicyName };
  },
);

export const putKeyPolicy = operation(
  z.object({
    KeyId: keyIdSchema,
    PolicyName: policyNameSchema,
    Policy: z.string().min(1),
    BypassPolicyLockoutSafetyCheck: z.boolean().default(false),
  }),
  async (call, input) => {
    const key = call.findKey(input.KeyId);
    call.authorize({ key });
    if (!input.BypassPolicyLockoutSafetyCheck) refuseLockout(call.principal, input.Policy);
    await call.dependencies.keys.setPolicy(key.keyId, input.Policy);
    return {};
  },
);
