/** Conditions of statements: an operator, a key of the request, and values. Names of keys have no case (IAM reference, "Condition"). */
import type { Operator } from './operators.ts';
import { holds, isArnPattern, parseOperator } from './operators.ts';
import type { Truth } from './truth.ts';

export interface Condition {
  /** As it is written. */
  readonly operatorName: string;
  /** undefined: not one that is judged. */
  readonly operator: Operator | undefined;
  /** As it is written. */
  readonly keyName: string;
  /** In lower case. */
  readonly key: string;
  /** One of them must match. */
  readonly values: readonly string[];
}

/** What a request says of itself, by condition key. */
export interface RequestContext {
  /** By key in lower case. */
  readonly present: ReadonlyMap<string, readonly string[]>;
  /** Of a key that is not present: whether it is known to be absent. Nobody knows of the others. */
  isAbsent(key: string): boolean;
}

/** Policy variables (`${aws:username}`) take their value from the request. */
function hasVariable(values: readonly string[]): boolean {
  return values.some((value) => value.includes('${'));
}

export function makeCondition(operatorName: string, keyName: string, values: readonly string[]): Condition {
  return { operatorName, operator: parseOperator(operatorName), keyName, key: keyName.toLowerCase(), values };
}

function hasMalformedArn({ operator, values }: Condition): boolean {
  const isOfArns = operator !== undefined && operator.comparison !== 'Null' && operator.comparison.isOfArns === true;
  return isOfArns && !values.every(isArnPattern);
}

/** Whether everything about it can be judged, if only the request is known. */
export function isUnderstood(condition: Condition): boolean {
  return condition.operator !== undefined && !hasVariable(condition.values) && !hasMalformedArn(condition);
}

export function judgeCondition(condition: Condition, context: RequestContext): Truth {
  const { operator, key, values } = condition;
  if (operator === undefined) return 'unknown';
  const found = context.present.get(key);
  if (found === undefined && !context.isAbsent(key)) return 'unknown';
  // Against an absent key no value matters.
  if (found !== undefined && !isUnderstood(condition)) return 'unknown';
  return holds(operator, found, values);
}

/** In the words of the policy. */
export function describeCondition({ operatorName, keyName, values }: Condition): string {
  const [first = '', ...more] = values;
  const shown = first.length > 24 ? `${first.slice(0, 16)}…` : first;
  return `${operatorName} ${keyName} ${more.length === 0 ? shown : `${shown} and ${more.length} more`}`;
}
