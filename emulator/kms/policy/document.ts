/**
 * Key policies (IAM JSON policy language, 2012-10-17), as far as key policies for attested recipients need it:
 * Effect, Principal, Action, Resource and Condition. Everything else is refused when the policy is set, because a part
 * that is silently ignored could let somebody in: NotPrincipal, NotAction, NotResource, policy variables, other
 * operators (ForAnyValue, IfExists, numbers, dates, addresses) and other condition keys.
 */
import { z } from 'zod';
import { ACCOUNT_ID, ACCOUNT_ROOT_ARN } from '../../principal.ts';
import { ServiceError } from '../service-error.ts';
import type { Condition } from './conditions.ts';
import { isConditionKey, isOperatorName } from './conditions.ts';

/** KMS's limit on a key policy. */
const MAX_POLICY_BYTES = 32_768;
const PRINCIPAL = /^(?:\*|arn:aws:iam::\d{12}:(?:root|user\/.+|role\/.+)|arn:aws:sts::\d{12}:assumed-role\/[^/]+\/.+)$/;
const ACTION = /^(?:\*|kms:[A-Za-z*?]+)$/i;

const oneOrMore = <Item extends z.ZodType>(item: Item) =>
  z.union([item.transform((value) => [value]), z.array(item).min(1)]);

const literal = z.string().refine((text) => !text.includes('${'), 'policy variables are not supported');
const principal = z
  .string()
  .transform((text) => (text === ACCOUNT_ID ? ACCOUNT_ROOT_ARN : text))
  .refine((text) => PRINCIPAL.test(text), 'not a principal that a key policy may name');

const commonFields = {
  Sid: z.string().optional(),
  Effect: z.enum(['Allow', 'Deny']),
  Action: oneOrMore(z.string().regex(ACTION, 'not a KMS action')),
  Resource: oneOrMore(literal),
  Condition: z.record(z.string(), z.record(z.string(), oneOrMore(literal))).default({}),
};

const statementSchema = z.strictObject({
  ...commonFields,
  Principal: z.union([
    z.literal('*').transform(() => ['*']),
    z.strictObject({ AWS: oneOrMore(principal) }).transform(({ AWS }) => AWS),
  ]),
});

const policyOf = <Item extends z.ZodType>(statement: Item) =>
  z.strictObject({
    Version: z.enum(['2012-10-17', '2008-10-17']).optional(),
    Id: z.string().optional(),
    Statement: oneOrMore(statement),
  });

const policySchema = policyOf(statementSchema);
/** An IAM policy of a role names no principal: it is that of the role. */
const rolePolicySchema = policyOf(z.strictObject(commonFields));

export interface Statement {
  readonly effect: 'Allow' | 'Deny';
  /** `*`, or ARNs of the account, users, roles and role sessions. */
  readonly principals: readonly string[];
  /** Lower-case, with wildcards. */
  readonly actions: readonly string[];
  /** With wildcards. */
  readonly resources: readonly string[];
  /** All must hold. */
  readonly conditions: readonly Condition[];
}

export type KeyPolicy = readonly Statement[];

function malformed(message: string, cause?: unknown): ServiceError {
  return new ServiceError('MalformedPolicyDocumentException', message, { cause });
}

function toConditions(source: z.infer<typeof statementSchema>['Condition']): Condition[] {
  return Object.entries(source).flatMap(([operator, byKey]) => {
    if (!isOperatorName(operator)) throw malformed(`The emulator does not know the condition operator ${operator}`);
    return Object.entries(byKey).map(([name, values]) => {
      const key = name.toLowerCase();
      if (!isConditionKey(key)) throw malformed(`The emulator does not know the condition key ${name}`);
      if (operator === 'Null' && values.some((value) => value !== 'true' && value !== 'false')) {
        throw malformed('The operator Null takes "true" or "false"');
      }
      return { operator, key, values };
    });
  });
}

function toStatement(source: z.infer<typeof statementSchema>): Statement {
  return {
    effect: source.Effect,
    principals: source.Principal,
    actions: source.Action.map((action) => action.toLowerCase()),
    resources: source.Resource,
    conditions: toConditions(source.Condition),
  };
}

/** @throws ServiceError MalformedPolicyDocumentException */
export function parseKeyPolicy(text: string): KeyPolicy {
  return parseWith(policySchema, text).Statement.map(toStatement);
}

/** An IAM policy attached to a role. @throws ServiceError MalformedPolicyDocumentException */
export function parseRolePolicy(text: string, roleArn: string): KeyPolicy {
  const { Statement } = parseWith(rolePolicySchema, text);
  return Statement.map((statement) => toStatement({ ...statement, Principal: [roleArn] }));
}

function parseWith<Schema extends z.ZodType>(schema: Schema, text: string): z.output<Schema> {
  if (Buffer.byteLength(text) > MAX_POLICY_BYTES) throw malformed(`The policy is over ${MAX_POLICY_BYTES} bytes`);
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw malformed('The policy is not JSON', error);
  }
  const parsed = schema.safeParse(json);
  if (!parsed.success) throw malformed(z.prettifyError(parsed.error), parsed.error);
  return parsed.data;
}

/** What KMS gives a key that is created without a policy: the account's own IAM policies decide. */
export const DEFAULT_POLICY_TEXT = JSON.stringify({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Principal: { AWS: ACCOUNT_ROOT_ARN }, Action: 'kms:*', Resource: '*' }],
});
