/** Requests of a role and an administrator, judged by statements that tests put together. */
import type { Test } from 'tap';
import { administratorPrincipal, roleArn, rolePrincipal } from '../../../../emulator/principal.ts';
import { parseKeyPolicy } from '../../../../kms/policy/language/document.ts';
import type { Decision } from '../../../../kms/policy/language/evaluate.ts';
import { evaluatePolicy } from '../../../../kms/policy/language/evaluate.ts';
import { isKnownKey } from '../../../../kms/policy/language/request-context.ts';
import { truthOf } from '../../../../kms/policy/language/truth.ts';

export const KEY_ARN = 'arn:aws:kms:eu-central-1:111122223333:key/0f0f0f0f-0000-4000-8000-000000000000';
export const ROLE = rolePrincipal('enclave', 'i-0');
export const ADMIN = administratorPrincipal('administrator');
export const PCR0 = 'ab'.repeat(48);
export const ATTESTED = {
  'kms:recipientattestation:imagesha384': PCR0,
  'kms:recipientattestation:pcr0': PCR0,
  'kms:recipientattestation:pcr8': '00'.repeat(48),
};

type Json = Record<string, unknown>;

export const allow = (more: Json = {}): Json => ({
  Effect: 'Allow',
  Principal: { AWS: roleArn('enclave') },
  Action: 'kms:Decrypt',
  Resource: '*',
  ...more,
});
export const deny = (more: Json = {}): Json => ({ ...allow(more), Effect: 'Deny' });
export const when = (operator: string, key: string, value: unknown): Json => ({
  Condition: { [operator]: { [key]: value } },
});
export const IMAGE = 'kms:RecipientAttestation:ImageSha384';

export interface Case {
  readonly name: string;
  readonly statements: readonly Json[];
  readonly context?: Record<string, string | readonly string[]>;
  readonly principal?: typeof ROLE;
  readonly action?: string;
  readonly decision: Decision;
}

export function decide(t: Test, cases: readonly Case[]): void {
  for (const { name, statements, context = {}, principal = ROLE, action = 'kms:Decrypt', decision } of cases) {
    const policy = parseKeyPolicy(JSON.stringify({ Version: '2012-10-17', Statement: statements }));
    const present = new Map(Object.entries(context).map(([key, value]) => [key, [value].flat()]));
    const request = {
      caller: principal,
      action,
      keyArn: KEY_ARN,
      context: { present, isAbsent: isKnownKey },
      accountAllows: truthOf(principal.administrator),
    };
    t.equal(evaluatePolicy(policy, request), decision, name);
  }
}
