/**
 * Decides a request by a policy: an explicit Deny wins, then any Allow, else it is denied (IAM reference, "Policy evaluation
 * logic"). What cannot be judged makes the decision `undecided`, unless a statement that can be judged settles it.
 */
import type { RequestContext } from './condition.ts';
import { judgeCondition } from './condition.ts';
import type { Patterns, Policy, Statement } from './document.ts';
import type { Caller } from './principal.ts';
import { judgePrincipals } from './principal.ts';
import type { Truth } from './truth.ts';
import { every, some, truthOf } from './truth.ts';
import { matchesWildcard } from './wildcard.ts';

export interface PolicyRequest {
  readonly caller: Caller;
  /** `kms:Decrypt` and so on. */
  readonly action: string;
  /** undefined: it is not known which key the policy belongs to. `*` of a question that concerns no key. */
  readonly keyArn: string | undefined;
  readonly context: RequestContext;
  /** What IAM policies say where the key policy leaves it to the account. */
  readonly accountAllows: Truth;
}

export type Decision = 'allow' | 'explicit-deny' | 'implicit-deny' | 'undecided';

export function matchesAny({ isNegated, patterns }: Patterns, text: string): boolean {
  return patterns.some((pattern) => matchesWildcard(text, pattern)) !== isNegated;
}

/** In a key policy `*` is the key itself. */
function judgeResource(resources: Patterns, keyArn: string | undefined): Truth {
  if (keyArn !== undefined) return truthOf(matchesAny(resources, keyArn));
  return resources.patterns.includes('*') ? truthOf(!resources.isNegated) : 'unknown';
}

/** Whether it is about this caller, action and key, whatever its conditions say. */
export function concerns(statement: Statement, request: PolicyRequest): Truth {
  const { actions, principals, resources, effect } = statement;
  if (!matchesAny(actions, request.action.toLowerCase())) return 'no';
  const isAddressed = principals === undefined ? 'yes' : judgePrincipals(principals, { ...request, effect });
  return every([isAddressed, judgeResource(resources, request.keyArn)]);
}

export function applies(statement: Statement, request: PolicyRequest): Truth {
  const isConcerned = concerns(statement, request);
  if (isConcerned === 'no') return 'no';
  return every([isConcerned, ...statement.conditions.map((condition) => judgeCondition(condition, request.context))]);
}

/** Of statements with this effect: whether one applies. */
export function someApplies(policy: Policy, effect: Statement['effect'], request: PolicyRequest): Truth {
  return some(policy.map((statement) => (statement.effect === effect ? applies(statement, request) : 'no')));
}

export function decide(isAllowed: Truth, isDenied: Truth): Decision {
  if (isDenied === 'yes') return 'explicit-deny';
  if (isAllowed === 'no') return 'implicit-deny';
  return isAllowed === 'yes' && isDenied === 'no' ? 'allow' : 'undecided';
}

export function evaluatePolicy(policy: Policy, request: PolicyRequest): Decision {
  return decide(someApplies(policy, 'Allow', request), someApplies(policy, 'Deny', request));
}
