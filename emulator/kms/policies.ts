/**
 * Policies in the emulated KMS: those of the policy language that it can judge to the end. It knows no grants, no services and no
 * networks, so a policy that depends on such is refused when it is set, because a part that is silently ignored could let somebody in.
 */
import type { Condition } from '../../kms/policy/language/condition.ts';
import { isUnderstood } from '../../kms/policy/language/condition.ts';
import type { Policy } from '../../kms/policy/language/document.ts';
import { parseIdentityPolicy, parseKeyPolicy } from '../../kms/policy/language/document.ts';
import { isKnownName } from '../../kms/policy/language/principal.ts';
import { isKnownKey } from '../../kms/policy/language/request-context.ts';
import { describeError } from '../../runtime/errors.ts';
import { ACCOUNT_ROOT_ARN } from '../principal.ts';
import { ServiceError } from './service-error.ts';

const ACTION = /^(?:\*|kms:[a-z*?]+)$/;

function malformed(message: string, cause?: unknown): ServiceError {
  return new ServiceError('MalformedPolicyDocumentException', message, { cause });
}

function refuseCondition(condition: Condition): void {
  const { operator, operatorName, key, keyName, values } = condition;
  if (operator === undefined) throw malformed(`The emulator does not know the condition operator ${operatorName}`);
  if (!isKnownKey(key)) throw malformed(`The emulator does not know the condition key ${keyName}`);
  if (!isUnderstood(condition)) throw malformed(`The emulator does not know policy variables (${keyName})`);
  if (operator.comparison !== 'Null' || values.every((text) => text === 'true' || text === 'false')) return;
  throw malformed('The operator Null takes "true" or "false"');
}

function refuseUnknown(policy: Policy): Policy {
  for (const { actions, resources, principals, conditions } of policy) {
    const action = actions.patterns.find((pattern) => !ACTION.test(pattern));
    if (action !== undefined) throw malformed(`${action} is not an action of KMS`);
    if (resources.patterns.some((pattern) => pattern.includes('${'))) throw malformed('Policy variables are not known');
    const stranger = principals?.names.find((name) => name.type !== 'AWS' || !isKnownName(name));
    if (stranger !== undefined) throw malformed(`The emulator does not know the principal ${stranger.name}`);
    conditions.forEach(refuseCondition);
  }
  return policy;
}

function parseWith(parse: (text: string) => Policy, text: string): Policy {
  let policy: Policy;
  try {
    policy = parse(text);
  } catch (error) {
    throw malformed(describeError(error), error);
  }
  return refuseUnknown(policy);
}

/** @throws ServiceError MalformedPolicyDocumentException */
export function acceptKeyPolicy(text: string): Policy {
  return parseWith(parseKeyPolicy, text);
}

/** An IAM policy attached to a role. @throws ServiceError MalformedPolicyDocumentException */
export function acceptRolePolicy(text: string): Policy {
  return parseWith(parseIdentityPolicy, text);
}

/** What KMS gives a key that is created without a policy: the account's own IAM policies decide. */
export const DEFAULT_POLICY_TEXT = JSON.stringify({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Principal: { AWS: ACCOUNT_ROOT_ARN }, Action: 'kms:*', Resource: '*' }],
});
