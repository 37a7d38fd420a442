/** GetKeyPolicy and PutKeyPolicy (KMS API reference). */
import { z } from 'zod';
import { evaluatePolicy } from '../../../kms/policy/language/evaluate.ts';
import { requestContext } from '../../../kms/policy/language/request-context.ts';
import { truthOf } from '../../../kms/policy/language/truth.ts';
import type { Principal } from '../../principal.ts';
import { acceptKeyPolicy } from '../policies.ts';
import { ServiceError } from '../service-error.ts';
import { keyIdSchema, operation } from './input.ts';

/** The only name that a key policy can have. */
const policyNameSchema = z.literal('default').default('default');

/**
 * KMS's lockout safety check: whoever sets a policy must still be able to change it.
 * @throws ServiceError MalformedPolicyDocumentException
 */
export function refuseLockout(principal: Principal, policyText: string): void {
  const action = 'kms:PutKeyPolicy';
  const request = {
    caller: principal,
    action,
    keyArn: undefined,
    context: requestContext({ caller: principal, action }),
    accountAllows: truthOf(principal.administrator),
  };
  if (evaluatePolicy(acceptKeyPolicy(policyText), request) === 'allow') return;
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
