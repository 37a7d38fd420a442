/** The policy that is printed, judged by the simulator and by the check: who gets in, and who does not. */
import t from 'tap';
import { ADMINISTERING, REVEALING, RULING, SEALING } from '../../../../kms/policy/actions.ts';
import { checkPolicy } from '../../../../kms/policy/check/check.ts';
import { callerOf } from '../../../../kms/policy/check/mentioned.ts';
import { makeKeyPolicy } from '../../../../kms/policy/key-policy.ts';
import { parseKeyPolicy } from '../../../../kms/policy/language/document.ts';
import { type Registers, requestContext } from '../../../../kms/policy/language/request-context.ts';
import { simulate } from '../../../../kms/policy/simulate.ts';
import type { PolicyWish } from '../../../../kms/policy/wish.ts';
import { generationContext } from '../../../../wire/generation-context.ts';
import { ADMINISTRATOR, KEY_ARN, OTHER_ROLE, ROLE, RULER, WISH, WISHES } from '../support/wishes.ts';

const FOREIGNER = 'arn:aws:iam::444455556666:role/acra-enclave';
/** An IAM policy that allows everything: what the key policy does not say, it does not leave to the account. */
const MIGHTY = [
  {
    number: 1,
    sid: undefined,
    effect: 'Allow',
    principals: undefined,
    actions: { isNegated: false, patterns: ['*'] },
    resources: { isNegated: false, patterns: ['*'] },
    conditions: [],
  },
] as const;

interface Asked {
  readonly principal?: string;
  readonly action?: string;
  readonly document?: Registers | undefined;
  readonly encryptionContext?: Readonly<Record<string, string>>;
}

/** Of the first generation that is named. */
function ownContext({ encryptionContext, generations: [generation] = [] }: PolicyWish) {
  return { ...encryptionContext, ...(generation === undefined ? {} : generationContext(generation)) };
}

function decisionOf(wish: PolicyWish, asked: Asked): string {
  const { principal = ROLE, action = 'kms:Decrypt', document, encryptionContext = ownContext(wish) } = asked;
  const caller = callerOf(principal);
  const context = requestContext({ caller, action, registers: document, encryptionContext });
  const keyPolicy = parseKeyPolicy(JSON.stringify(makeKeyPolicy(wish)));
  return simulate({ keyPolicy, identityPolicies: [MIGHTY], request: { caller, action, keyArn: KEY_ARN, context } })
    .decision;
}

/** With one register changed, each in turn. */
function deviations(document: Registers): readonly Registers[] {
  return [...document].flatMap(([index, value]) => {
    const flipped = Buffer.from(value);
    flipped[0] = (flipped[0] ?? 0) ^ 1;
    const absent = new Map([...document].filter(([other]) => other !== index));
    return [new Map([...document, [index, flipped]]), new Map([...document, [index, Buffer.alloc(48)]]), absent];
  });
}

for (const [name, wish] of Object.entries(WISHES)) {
  t.test(`keeps the printed policy without a finding: ${name}`, async (t) => {
    const live = parseKeyPolicy(JSON.stringify(makeKeyPolicy(wish)));
    t.same(checkPolicy({ live, wish, keyArn: KEY_ARN }), []);
    t.same(checkPolicy({ live, wish }), []);
  });

  t.test(`lets in the enclave with its document, and no other: ${name}`, async (t) => {
    for (const document of wish.measurements) {
      t.equal(decisionOf(wish, { document }), 'allow');
      for (const other of deviations(document)) t.equal(decisionOf(wish, { document: other }), 'explicit-deny');
      for (const principal of [ADMINISTRATOR, RULER, OTHER_ROLE, FOREIGNER]) {
        t.equal(decisionOf(wish, { document, principal }), 'implicit-deny', principal);
      }
      for (const key of Object.keys(wish.encryptionContext)) {
        const encryptionContext = { ...ownContext(wish), [key]: 'x' };
        t.equal(decisionOf(wish, { document, encryptionContext }), 'implicit-deny', `another ${key}`);
      }
    }
    for (const action of REVEALING) {
      for (const principal of [ROLE, ADMINISTRATOR, RULER, OTHER_ROLE]) {
        t.equal(decisionOf(wish, { action, principal }), 'explicit-deny', `${action} without a document: ${principal}`);
      }
    }
  });

  t.test(`denies each way round it: ${name}`, async (t) => {
    const [document] = wish.measurements;
    for (const principal of [ROLE, ADMINISTRATOR, RULER, OTHER_ROLE]) {
      const denied = ['kms:CreateGrant', 'kms:ReEncryptFrom', ...SEALING.filter((action) => action !== 'kms:Encrypt')];
      for (const action of denied) t.equal(decisionOf(wish, { action, principal, document }), 'explicit-deny', action);
    }
    for (const action of [...RULING, ...ADMINISTERING, 'kms:Encrypt']) {
      t.not(decisionOf(wish, { action, document }), 'allow', `${action} by the role`);
    }
  });
}

t.test('lets administrators seal until keys are born in the enclave, and never decrypt', async (t) => {
  const asked = { principal: ADMINISTRATOR, action: 'kms:Encrypt' };
  t.equal(decisionOf(WISH, asked), 'allow');
  t.equal(decisionOf(WISH, { ...asked, encryptionContext: {} }), 'implicit-deny', 'in another context');
  t.equal(decisionOf({ ...WISH, keysBornInEnclave: true }, asked), 'explicit-deny');
  t.equal(decisionOf(WISH, { principal: ADMINISTRATOR, action: 'kms:PutKeyPolicy' }), 'implicit-deny');
  t.equal(decisionOf(WISH, { principal: RULER, action: 'kms:PutKeyPolicy' }), 'allow');
});

t.test('lets those who rule make replicas where that is wished, and nobody else', async (t) => {
  const action = 'kms:ReplicateKey';
  t.equal(decisionOf({ ...WISH, replicas: true }, { principal: RULER, action }), 'allow');
  t.equal(decisionOf(WISH, { principal: RULER, action }), 'implicit-deny');
  for (const principal of [ROLE, ADMINISTRATOR, OTHER_ROLE])
    t.equal(decisionOf({ ...WISH, replicas: true }, { principal, action }), 'implicit-deny', principal);
});

t.test('lets the enclave have attested data keys where keys are born in it, and only there', async (t) => {
  const [document] = WISH.measurements;
  const action = 'kms:GenerateDataKey';
  t.equal(decisionOf({ ...WISH, keysBornInEnclave: true }, { action, document }), 'allow');
  t.equal(decisionOf({ ...WISH, keysBornInEnclave: true }, { action }), 'explicit-deny');
  t.equal(decisionOf(WISH, { action, document }), 'implicit-deny');
});

t.test('keeps two images apart: registers of one with those of the other do not get in', async (t) => {
  const wish = WISHES['two images during a roll-over'] ?? WISH;
  const [first = new Map(), second = new Map()] = wish.measurements;
  for (const [index, value] of second) {
    if (first.get(index)?.equals(value)) continue;
    t.equal(decisionOf(wish, { document: new Map([...first, [index, value]]) }), 'implicit-deny', `PCR${index}`);
  }
});
