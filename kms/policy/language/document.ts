/**
 * Policies of keys and roles as documents (IAM reference, "Grammar of the IAM JSON policy language", 2012-10-17). An element that the
 * grammar does not have is refused. Operators and condition keys that are not judged stay in the statement, and whoever evaluates
 * it gets no yes from them.
 */
import { z } from 'zod';
import { parseUniqueJson } from '../../../encoding/unique-json.ts';
import { KmsPolicyError } from '../errors.ts';
import type { Condition } from './condition.ts';
import { makeCondition } from './condition.ts';
import type { Principals } from './principal.ts';

/** KMS's limit on a key policy. */
const MAX_POLICY_BYTES = 32_768;

const oneOrMore = <Item extends z.ZodType>(item: Item) =>
  z.union([item.transform((value) => [value]), z.array(item).min(1)]);

const texts = oneOrMore(z.string().min(1));
/** IAM reads a bare number or truth value as its text. */
const value = z.union([z.string(), z.boolean(), z.number()]).transform(String);

const principal = z.union([
  z.literal('*').transform(() => ({ AWS: ['*'] })),
  z
    .strictObject({ AWS: texts, Service: texts, Federated: texts, CanonicalUser: texts })
    .partial()
    .refine((names) => Object.keys(names).length > 0, 'names nobody'),
]);

const commonFields = {
  Sid: z.string().optional(),
  Effect: z.enum(['Allow', 'Deny']),
  Action: texts.optional(),
  NotAction: texts.optional(),
  Resource: texts.optional(),
  NotResource: texts.optional(),
  Condition: z.record(z.string(), z.record(z.string(), oneOrMore(value))).default({}),
};

/** Of two spellings of one element, its opposite among them, exactly one. */
function exactlyOne(...names: readonly string[]) {
  return {
    check: (statement: object) => names.filter((name) => Object.hasOwn(statement, name)).length === 1,
    message: `needs ${names.join(' or ')}, and one of them only`,
  };
}
const ACTIONS = exactlyOne('Action', 'NotAction');
const RESOURCES = exactlyOne('Resource', 'NotResource');
const PRINCIPALS = exactlyOne('Principal', 'NotPrincipal');

const keyStatement = z
  .strictObject({ ...commonFields, Principal: principal.optional(), NotPrincipal: principal.optional() })
  .refine(ACTIONS.check, ACTIONS.message)
  .refine(RESOURCES.check, RESOURCES.message)
  .refine(PRINCIPALS.check, PRINCIPALS.message);
const roleStatement = z
  .strictObject(commonFields)
  .refine(ACTIONS.check, ACTIONS.message)
  .refine(RESOURCES.check, RESOURCES.message);

const policyOf = <Item extends z.ZodType>(statement: Item) =>
  z.strictObject({
    Version: z.enum(['2012-10-17', '2008-10-17']).optional(),
    Id: z.string().optional(),
    Statement: oneOrMore(statement),
  });
const keyPolicySchema = policyOf(keyStatement);
const rolePolicySchema = policyOf(roleStatement);

/** Patterns with wildcards; one must match, or with `isNegated` none. */
export interface Patterns {
  readonly isNegated: boolean;
  readonly patterns: readonly string[];
}

export interface Statement {
  /** From 1. */
  readonly number: number;
  readonly sid: string | undefined;
  readonly effect: 'Allow' | 'Deny';
  /** undefined in an IAM policy: whoever it is attached to. */
  readonly principals: Principals | undefined;
  /** In lower case: names of actions have none. */
  readonly actions: Patterns;
  readonly resources: Patterns;
  /** All must hold. */
  readonly conditions: readonly Condition[];
}

export type Policy = readonly Statement[];

type Source = z.output<typeof keyStatement>;

function patternsOf(named: readonly string[] | undefined, excepted: readonly string[] | undefined): Patterns {
  return { isNegated: named === undefined, patterns: named ?? excepted ?? [] };
}

function principalsOf({ Principal, NotPrincipal }: Source): Principals | undefined {
  const source = Principal ?? NotPrincipal;
  if (source === undefined) return undefined;
  const types = ['AWS', 'Service', 'Federated', 'CanonicalUser'] as const;
  const byType: Partial<Record<(typeof types)[number], readonly string[] | undefined>> = source;
  const names = types.flatMap((type) => (byType[type] ?? []).map((name) => ({ type, name })));
  return { isNegated: Principal === undefined, names };
}

function toStatement(source: Source, index: number): Statement {
  const conditions = Object.entries(source.Condition).flatMap(([operator, byKey]) =>
    Object.entries(byKey).map(([key, values]) => makeCondition(operator, key, values)),
  );
  const lowerCase = (names: readonly string[] | undefined) => names?.map((name) => name.toLowerCase());
  return {
    number: index + 1,
    sid: source.Sid,
    effect: source.Effect,
    principals: principalsOf(source),
    actions: patternsOf(lowerCase(source.Action), lowerCase(source.NotAction)),
    resources: patternsOf(source.Resource, source.NotResource),
    conditions,
  };
}

function parseJson(text: string): unknown {
  if (Buffer.byteLength(text) > MAX_POLICY_BYTES) {
    throw new KmsPolicyError('KMS_POLICY_SYNTAX', 'the policy is too long', { allowed: `${MAX_POLICY_BYTES} bytes` });
  }
  try {
    return parseUniqueJson(text);
  } catch (cause) {
    throw new KmsPolicyError('KMS_POLICY_SYNTAX', 'the policy is not JSON that all readers understand alike', {
      cause,
    });
  }
}

function parseWith<Schema extends z.ZodType>(schema: Schema, json: unknown): z.output<Schema> {
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  throw new KmsPolicyError('KMS_POLICY_SYNTAX', 'not a policy as IAM knows it', {
    found: z.prettifyError(parsed.error),
  });
}

/** @throws KmsPolicyError KMS_POLICY_SYNTAX */
export function parseKeyPolicy(text: string): Policy {
  return parseWith(keyPolicySchema, parseJson(text)).Statement.map(toStatement);
}

/** An IAM policy that is attached to a role or user. @throws KmsPolicyError KMS_POLICY_SYNTAX */
export function parseIdentityPolicy(text: string): Policy {
  return parseWith(rolePolicySchema, parseJson(text)).Statement.map((each, index) => toStatement(each, index));
}
