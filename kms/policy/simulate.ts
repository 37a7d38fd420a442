/** Judges one request by a key policy and IAM policies, and tells how: by which statement, and what each condition found. */
import { authorize } from './language/authorize.ts';
import { describeCondition, judgeCondition, type RequestContext } from './language/condition.ts';
import type { Policy, Statement } from './language/document.ts';
import { applies, concerns, type Decision, type PolicyRequest } from './language/evaluate.ts';
import type { Truth } from './language/truth.ts';
import { nameOf } from './statement-name.ts';

export interface Simulation {
  readonly keyPolicy: Policy;
  /** Of the caller; undefined: not known. */
  readonly identityPolicies: readonly Policy[] | undefined;
  readonly request: Omit<PolicyRequest, 'accountAllows'>;
}

interface JudgedCondition {
  /** Operator, key and allowed values. */
  readonly condition: string;
  /** undefined: absent from the request, or not known. */
  readonly found: readonly string[] | null;
  readonly holds: Truth;
}

interface JudgedStatement {
  readonly policy: 'key policy' | 'IAM policy';
  readonly statement: string;
  readonly effect: Statement['effect'];
  /** Whether it is about this caller, action and key. */
  readonly concerns: Truth;
  readonly applies: Truth;
  readonly conditions: readonly JudgedCondition[];
}

export interface SimulationResult {
  readonly decision: Decision;
  /** Those that decided it, or left it undecided. */
  readonly by: readonly string[];
  /** All that are about this caller, action and key, or may be. */
  readonly statements: readonly JudgedStatement[];
}

function judge(statement: Statement, request: PolicyRequest, policy: JudgedStatement['policy']): JudgedStatement[] {
  const isConcerned = concerns(statement, request);
  if (isConcerned === 'no') return [];
  const conditions = statement.conditions.map((condition) => judged(condition, request.context));
  const { effect } = statement;
  return [
    {
      policy,
      statement: nameOf(statement),
      effect,
      concerns: isConcerned,
      applies: applies(statement, request),
      conditions,
    },
  ];
}

function judged(condition: Statement['conditions'][number], context: RequestContext): JudgedCondition {
  const found = context.present.get(condition.key) ?? null;
  return { condition: describeCondition(condition), found, holds: judgeCondition(condition, context) };
}

function deciding(decision: Decision, statements: readonly JudgedStatement[]): readonly string[] {
  const name = ({ policy, statement }: JudgedStatement) =>
    policy === 'key policy' ? statement : `${policy}, ${statement}`;
  const those = (effect: Statement['effect'] | undefined, truths: readonly Truth[]) =>
    statements.filter((each) => (effect ?? each.effect) === each.effect && truths.includes(each.applies)).map(name);
  if (decision === 'explicit-deny') return those('Deny', ['yes']);
  if (decision === 'allow') return those('Allow', ['yes']);
  return decision === 'undecided' ? those(undefined, ['unknown']) : [];
}

export function simulate({ keyPolicy, identityPolicies, request }: Simulation): SimulationResult {
  const decision = authorize(keyPolicy, identityPolicies, request);
  const whole: PolicyRequest = { ...request, accountAllows: identityPolicies === undefined ? 'unknown' : 'yes' };
  const statements = [
    ...keyPolicy.flatMap((each) => judge(each, whole, 'key policy')),
    ...(identityPolicies ?? []).flat().flatMap((each) => judge(each, whole, 'IAM policy')),
  ];
  return { decision, by: deciding(decision, statements), statements };
}
