/**
 * Condition operators (IAM reference, "Condition operators", "Set operators for multivalued context keys").
 *
 * What a key's absence means decides who gets in: most operators then fail; the negated ones, `…IfExists` and `ForAllValues:` hold.
 * Numbers, dates, addresses and binary values are not judged here: no condition of an enclave's key needs them.
 */
import type { Truth } from './truth.ts';
import { truthOf } from './truth.ts';
import { matchesWildcard } from './wildcard.ts';

interface Comparison {
  /** Holds when no value matches, and when the key is absent. */
  readonly isNegated: boolean;
  /** `*` and `?` in values have a meaning. */
  readonly hasPatterns: boolean;
  readonly isOfArns?: true;
  matches(value: string, pattern: string): boolean;
}

export interface Operator {
  readonly set: 'ForAllValues' | 'ForAnyValue' | undefined;
  readonly comparison: Comparison | 'Null';
  readonly ifExists: boolean;
}

const equal = (value: string, pattern: string) => value === pattern;
const equalIgnoringCase = (value: string, pattern: string) => value.toLowerCase() === pattern.toLowerCase();

/** Each of the six parts by itself, so that `*` does not reach across a colon; the last holds the remaining colons. */
function matchesArn(value: string, pattern: string): boolean {
  const split = (arn: string) => [...arn.split(':').slice(0, 5), arn.split(':').slice(5).join(':')];
  const patterns = split(pattern);
  return split(value).every((part, index) => matchesWildcard(part, patterns[index] ?? ''));
}

/** What these operators make of a text with fewer parts (`*`) is not documented. */
export const isArnPattern = (text: string): boolean => text.split(':').length >= 6;

const COMPARISONS: Readonly<Record<string, Comparison>> = {
  StringEquals: { isNegated: false, hasPatterns: false, matches: equal },
  StringNotEquals: { isNegated: true, hasPatterns: false, matches: equal },
  StringEqualsIgnoreCase: { isNegated: false, hasPatterns: false, matches: equalIgnoringCase },
  StringNotEqualsIgnoreCase: { isNegated: true, hasPatterns: false, matches: equalIgnoringCase },
  StringLike: { isNegated: false, hasPatterns: true, matches: matchesWildcard },
  StringNotLike: { isNegated: true, hasPatterns: true, matches: matchesWildcard },
  ArnEquals: { isNegated: false, hasPatterns: true, isOfArns: true, matches: matchesArn },
  ArnNotEquals: { isNegated: true, hasPatterns: true, isOfArns: true, matches: matchesArn },
  ArnLike: { isNegated: false, hasPatterns: true, isOfArns: true, matches: matchesArn },
  ArnNotLike: { isNegated: true, hasPatterns: true, isOfArns: true, matches: matchesArn },
  Bool: { isNegated: false, hasPatterns: false, matches: equalIgnoringCase },
};

const NAME = /^(?:(ForAllValues|ForAnyValue):)?([A-Za-z]+?)(IfExists)?$/;

/** @returns undefined for an operator that is not judged, or does not exist. */
export function parseOperator(name: string): Operator | undefined {
  const [, set, base = '', ifExists] = NAME.exec(name) ?? [];
  if (base === 'Null') {
    return set || ifExists ? undefined : { set: undefined, comparison: 'Null', ifExists: false };
  }
  const comparison = Object.hasOwn(COMPARISONS, base) ? COMPARISONS[base] : undefined;
  if (comparison === undefined) return undefined;
  return { set: set as Operator['set'], comparison, ifExists: ifExists !== undefined };
}

/** @param values undefined: the key is absent from the request. @param patterns of the policy; one must match. */
export function holds(
  { set, comparison, ifExists }: Operator,
  values: readonly string[] | undefined,
  patterns: readonly string[],
): Truth {
  if (comparison === 'Null')
    return truthOf(patterns.some((text) => text.toLowerCase() === String(values === undefined)));
  if (values === undefined) {
    if (set === 'ForAllValues') return 'yes';
    // Not documented for ForAnyValue.
    if (set === 'ForAnyValue') return ifExists ? 'unknown' : 'no';
    return truthOf(ifExists || comparison.isNegated);
  }
  const one = (value: string) =>
    patterns.some((pattern) => comparison.matches(value, pattern)) !== comparison.isNegated;
  if (set === 'ForAllValues') return truthOf(values.every(one));
  if (set === 'ForAnyValue') return truthOf(values.some(one));
  // What KMS makes of several values without a set operator is not documented.
  const [only, ...others] = values;
  return only === undefined || others.length > 0 ? 'unknown' : truthOf(one(only));
}
