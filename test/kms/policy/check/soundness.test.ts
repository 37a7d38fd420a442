/**
 * What the check keeps silent about lets nobody in: random statements beside the printed ones, and random requests. Whatever request
 * the live policy lets in, or may, and the printed one does not, there is a finding about more than a missing Deny.
 */
import fc from 'fast-check';
import t, { type Test } from 'tap';
import { REVEALING, RULING, SEALING } from '../../../../kms/policy/actions.ts';
import { callerOf } from '../../../../kms/policy/check/mentioned.ts';
import { parseKeyPolicy } from '../../../../kms/policy/language/document.ts';
import { evaluatePolicy } from '../../../../kms/policy/language/evaluate.ts';
import { requestContext } from '../../../../kms/policy/language/request-context.ts';
import type { PolicyWish } from '../../../../kms/policy/wish.ts';
import { generationContext } from '../../../../wire/generation-context.ts';
import { codesIn, hex, type Json, printed } from '../support/live.ts';
import { ACCOUNT, ADMINISTRATOR, KEY_ARN, OTHER_ROLE, ROLE, registers, WISH } from '../support/wishes.ts';

const RUNS = 15;
const SEED = 20_261_129;
const FOREIGNER = 'arn:aws:iam::444455556666:role/x';
/** They say that too little is denied, or too few let in; and stop nobody. */
const HARMLESS = [
  'POLICY_DENY_MISSING',
  'POLICY_ENCLAVE_REFUSED',
  'POLICY_ADMINISTRATOR_REFUSED',
  'POLICY_REGISTER_EXTRA',
];

const ACTIONS = [...REVEALING, ...SEALING, ...RULING, 'kms:CreateGrant', 'kms:ReEncryptFrom'];
const BYTES = ['a0', 'a3', 'b6', '0d', '00', 'ff'];
const values = fc.constantFrom(...BYTES.map(hex), 'a*', '*0', '*', '?0*d', hex('A0'));
const attestationKey = fc
  .constantFrom('ImageSha384', 'PCR0', 'PCR3', 'PCR16', 'pcr8', 'NitroTPMPCR4')
  .map((name) => `kms:RecipientAttestation:${name}`);
const contextKey = fc
  .constantFrom('purpose', 'application', 'x', 'acra-enclave-generation')
  .map((name) => `kms:EncryptionContext:${name}`);
const base = fc.constantFrom(
  'StringEquals',
  'StringNotEquals',
  'StringEqualsIgnoreCase',
  'StringNotEqualsIgnoreCase',
  'StringLike',
  'StringNotLike',
);
const operator = fc
  .tuple(fc.constantFrom('', '', '', 'ForAllValues:', 'ForAnyValue:'), base, fc.constantFrom('', '', 'IfExists'))
  .map((parts) => parts.join(''));
const condition = fc.oneof(
  { weight: 5, arbitrary: fc.tuple(operator, attestationKey, fc.array(values, { minLength: 1, maxLength: 2 })) },
  {
    weight: 2,
    arbitrary: fc.tuple(
      operator,
      contextKey,
      fc.constantFrom(['acra-master-key'], ['demo'], ['other', 'd*'], ['6'], ['7', '8']),
    ),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(
      fc.constant('Null'),
      fc.oneof(attestationKey, contextKey),
      fc.constantFrom(['true'], ['false']),
    ),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(operator, fc.constant('aws:PrincipalArn'), fc.constantFrom([ROLE], [OTHER_ROLE], ['*other'])),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(
      operator,
      fc.constant('kms:CallerAccount'),
      fc.constantFrom(['111122223333'], ['444455556666']),
    ),
  },
);
const conditions = fc.array(condition, { maxLength: 3 }).map((all) => {
  const byOperator: Record<string, Record<string, readonly string[]>> = {};
  for (const [name, key, list] of all) byOperator[name] = { ...byOperator[name], [key]: list };
  return byOperator;
});
const principals = fc.constantFrom<Json>(
  { Principal: '*' },
  { Principal: { AWS: ROLE } },
  { Principal: { AWS: [OTHER_ROLE, FOREIGNER] } },
  { Principal: { AWS: ACCOUNT } },
  { NotPrincipal: { AWS: OTHER_ROLE } },
);
const actions = fc.constantFrom<Json>(
  { Action: 'kms:Decrypt' },
  { Action: ['kms:De*', 'kms:Encrypt'] },
  { Action: 'kms:*' },
  { NotAction: ['kms:Decrypt', 'kms:Put*'] },
  { Action: 'KMS:GENERATEDATAKEY*' },
);
const statement = fc
  .tuple(fc.constantFrom('Allow', 'Allow', 'Allow', 'Deny'), principals, actions, conditions)
  .map(([Effect, who, what, Condition]): Json => ({ Effect, ...who, ...what, Resource: '*', Condition }));

const document = fc.option(
  fc
    .record({ 0: fc.constantFrom(...BYTES), 3: fc.constantFrom(...BYTES), 8: fc.constantFrom(...BYTES) })
    .chain((always) =>
      fc
        .option(fc.constantFrom(...BYTES), { nil: undefined })
        .map((pcr16) => registers(pcr16 === undefined ? always : { ...always, 16: pcr16 })),
    ),
  { nil: undefined },
);
const request = fc.record({
  caller: fc
    .constantFrom(ROLE, ROLE, OTHER_ROLE, ADMINISTRATOR, FOREIGNER, 'arn:aws:iam::111122223333:role/any')
    .map(callerOf),
  action: fc.constantFrom(...ACTIONS),
  document,
  encryptionContext: fc.constantFrom<Readonly<Record<string, string>>>(
    WISH.encryptionContext,
    {},
    { purpose: 'other' },
    { ...WISH.encryptionContext, x: 'd' },
    ...[6, 7, 8].map((generation) => ({ ...WISH.encryptionContext, ...generationContext(generation) })),
  ),
});

const KINDS: Readonly<Record<string, PolicyWish>> = {
  'keys of an image': WISH,
  'keys born in the enclave': { ...WISH, keysBornInEnclave: true },
  'one generation of them': { ...WISH, keysBornInEnclave: true, generations: [7] },
};

function keepsSilentOnlyIfSound(t: Test, wish: PolicyWish): void {
  const own = printed(wish);
  const allows = own.filter(({ Effect }) => Effect === 'Allow');
  const denies = own.filter(({ Effect }) => Effect === 'Deny');
  const wanted = parseKeyPolicy(JSON.stringify({ Statement: own }));
  const seen = { let: 0 };
  const property = fc.property(
    fc.array(statement, { minLength: 1, maxLength: 3 }),
    fc.boolean(),
    fc.array(request, { minLength: 20, maxLength: 20 }),
    (more, hasDenies, requests) => {
      const statements = [...allows, ...more, ...(hasDenies ? denies : [])];
      const live = parseKeyPolicy(JSON.stringify({ Statement: statements }));
      const letIn = requests.some(({ caller, action, document: attested, encryptionContext }) => {
        const context = requestContext({ caller, action, registers: attested, encryptionContext });
        const asked = { caller, action, keyArn: KEY_ARN, context, accountAllows: 'yes' } as const;
        const isLetIn = ['allow', 'undecided'].includes(evaluatePolicy(live, asked));
        return isLetIn && evaluatePolicy(wanted, asked) !== 'allow';
      });
      if (!letIn) return true;
      seen.let += 1;
      const codes = codesIn(statements, { wish }).filter((code) => !HARMLESS.includes(code));
      return codes.length > 0;
    },
  );
  const result = fc.check(property, { numRuns: RUNS, seed: SEED });
  t.notOk(result.failed, JSON.stringify(result.counterexample?.[0]));
  t.ok(seen.let > RUNS / 10, `${seen.let} policies let somebody in`);
}

for (const [name, wish] of Object.entries(KINDS)) {
  t.test(`keeps silent only about policies that let in nobody else: ${name}`, async (t) => {
    keepsSilentOnlyIfSound(t, wish);
  });
}
