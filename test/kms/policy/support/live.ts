/** Live policies for tests: statements put together, and what a check finds in them. */
import { checkPolicy, type PolicyCheck } from '../../../../kms/policy/check/check.ts';
import { makeKeyPolicy } from '../../../../kms/policy/key-policy.ts';
import { parseKeyPolicy } from '../../../../kms/policy/language/document.ts';
import type { PolicyWish } from '../../../../kms/policy/wish.ts';
import { KEY_ARN, ROLE, WISH } from './wishes.ts';

export type Json = Readonly<Record<string, unknown>>;

export const IMAGE_KEY = 'kms:RecipientAttestation:ImageSha384';
export const hex = (byte: string) => byte.repeat(48);

/** What the printed policy demands, to be altered. */
export const DEMANDED = {
  StringEqualsIgnoreCase: {
    [IMAGE_KEY]: hex('a0'),
    'kms:RecipientAttestation:PCR3': hex('a3'),
    'kms:RecipientAttestation:PCR16': hex('b6'),
  },
  StringEquals: {
    'kms:EncryptionContext:purpose': 'acra-master-key',
    'kms:EncryptionContext:application': 'demo',
  },
} as const;

export const allow = (more: Json = {}): Json => ({
  Sid: 'Tried',
  Effect: 'Allow',
  Principal: { AWS: ROLE },
  Action: 'kms:Decrypt',
  Resource: '*',
  ...more,
});
export const deny = (more: Json = {}): Json => ({ ...allow({ Principal: '*', ...more }), Effect: 'Deny' });

/** The demanded conditions with other registers. */
export const demanding = (registers: Json): Json => ({ Condition: { ...DEMANDED, StringEqualsIgnoreCase: registers } });

/** Statements of the printed policy: those that look after the key, and those that let the enclave in. */
export function printed(wish: PolicyWish = WISH): readonly Json[] {
  return makeKeyPolicy(wish).Statement;
}
const isAllow = ({ Effect }: Json) => Effect === 'Allow';
export const ALLOWS = printed().filter(isAllow);
export const DENIES = printed().filter((statement) => !isAllow(statement));
export const ADMINISTRATION = ALLOWS.filter(({ Sid }) => Sid !== 'OnlyTheMeasuredEnclave');

/** Codes with the severity left out, and the statements that they are about. */
export function findingsIn(statements: readonly Json[], more: Partial<PolicyCheck> = {}) {
  const live = parseKeyPolicy(JSON.stringify({ Version: '2012-10-17', Statement: statements }));
  return checkPolicy({ live, wish: WISH, keyArn: KEY_ARN, ...more });
}

export function codesIn(statements: readonly Json[], more: Partial<PolicyCheck> = {}): readonly string[] {
  return [...new Set(findingsIn(statements, more).map(({ code }) => code))];
}
