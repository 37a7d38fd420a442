/**
 * Conditions of key policies: the string operators and `Null`, on the keys that KMS sets from an attestation document
 * and from the encryption context (IAM reference, "Condition operators"; KMS guide, "Condition keys").
 */
import { matchesWildcard } from './wildcard.ts';

/** Negated operators hold when the key is absent, the others do not (IAM reference). */
interface Operator {
  readonly negated: boolean;
  matches(value: string, pattern: string): boolean;
}

const equal = (value: string, pattern: string) => value === pattern;
const equalIgnoringCase = (value: string, pattern: string) => value.toLowerCase() === pattern.toLowerCase();

const STRING_OPERATORS = {
  StringEquals: { negated: false, matches: equal },
  StringNotEquals: { negated: true, matches: equal },
  StringEqualsIgnoreCase: { negated: false, matches: equalIgnoringCase },
  StringNotEqualsIgnoreCase: { negated: true, matches: equalIgnoringCase },
  StringLike: { negated: false, matches: matchesWildcard },
  StringNotLike: { negated: true, matches: matchesWildcard },
} as const satisfies Record<string, Operator>;

type OperatorName = keyof typeof STRING_OPERATORS | 'Null';

export interface Condition {
  readonly operator: OperatorName;
  /** Lower-case: names of condition keys have no case. */
  readonly key: string;
  /** One of them must match. */
  readonly values: readonly string[];
}

/** Values by lower-case condition key. */
export type ConditionContext = ReadonlyMap<string, string>;

/** `kms:RecipientAttestation:PCR0` to `PCR31`, `…:ImageSha384`, and `kms:EncryptionContext:` with any name. */
const CONDITION_KEY =
  /^kms:(?:recipientattestation:(?:imagesha384|pcr(?:[0-9]|[12][0-9]|3[01]))|encryptioncontext:.+)$/;

export function isOperatorName(name: string): name is OperatorName {
  return name === 'Null' || Object.hasOwn(STRING_OPERATORS, name);
}

/** @param key in lower case. */
export function isConditionKey(key: string): boolean {
  return CONDITION_KEY.test(key);
}

export function isSatisfied({ operator, key, values }: Condition, context: ConditionContext): boolean {
  const value = context.get(key);
  if (operator === 'Null') return values.includes(String(value === undefined));
  const { negated, matches } = STRING_OPERATORS[operator];
  if (value === undefined) return negated;
  return values.some((pattern) => matches(value, pattern)) !== negated;
}
