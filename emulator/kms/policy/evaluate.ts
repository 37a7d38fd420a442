/** Decides a request by a key policy: an explicit Deny wins, then any Allow, else it is denied (IAM evaluation logic). */
import type { Principal } from '../../principal.ts';
import { ACCOUNT_ROOT_ARN } from '../../principal.ts';
import type { ConditionContext } from './conditions.ts';
import { isSatisfied } from './conditions.ts';
import type { KeyPolicy, Statement } from './document.ts';
import { matchesWildcard } from './wildcard.ts';

interface PolicyRequest {
  readonly principal: Principal;
  /** `kms:Decrypt` and so on. */
  readonly action: string;
  readonly keyArn: string;
  readonly context: ConditionContext;
}

export type Decision = 'allow' | 'explicit-deny' | 'implicit-deny';

/**
 * Allow for the account's root hands the decision to IAM policies, and only the administrator has one here. Deny for
 * it covers everybody in the account.
 */
function namesPrincipal({ effect, principals }: Statement, principal: Principal): boolean {
  return principals.some((name) => {
    if (name === '*' || name === principal.arn || name === principal.policyArn) return true;
    return name === ACCOUNT_ROOT_ARN && (effect === 'Deny' || principal.administrator);
  });
}

function applies(statement: Statement, { principal, action, keyArn, context }: PolicyRequest): boolean {
  return (
    namesPrincipal(statement, principal) &&
    statement.actions.some((pattern) => matchesWildcard(action.toLowerCase(), pattern)) &&
    statement.resources.some((pattern) => matchesWildcard(keyArn, pattern)) &&
    statement.conditions.every((condition) => isSatisfied(condition, context))
  );
}

export function evaluatePolicy(policy: KeyPolicy, request: PolicyRequest): Decision {
  const applying = policy.filter((statement) => applies(statement, request));
  if (applying.some(({ effect }) => effect === 'Deny')) return 'explicit-deny';
  return applying.length > 0 ? 'allow' : 'implicit-deny';
}
