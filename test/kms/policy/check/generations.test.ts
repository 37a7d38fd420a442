/** Key policies that demand the generation of the key set: which sets open, what may be made, and what a check finds. */
import t from 'tap';
import { callerOf } from '../../../../kms/policy/check/mentioned.ts';
import { parseKeyPolicy } from '../../../../kms/policy/language/document.ts';
import { evaluatePolicy } from '../../../../kms/policy/language/evaluate.ts';
import { requestContext } from '../../../../kms/policy/language/request-context.ts';
import type { PolicyWish } from '../../../../kms/policy/wish.ts';
import { generationContext } from '../../../../wire/generation-context.ts';
import { allow, codesIn, DEMANDED, findingsIn, type Json, printed } from '../support/live.ts';
import { ADMINISTRATOR, IMAGE, KEY_ARN, OTHER_ROLE, ROLE, WISH } from '../support/wishes.ts';

const BORN: PolicyWish = { ...WISH, keysBornInEnclave: true };
const PINNED: PolicyWish = { ...BORN, generations: [7] };
const CHANGING: PolicyWish = { ...BORN, generations: [7, 8] };
const GENERATION = 'kms:EncryptionContext:acra-enclave-generation';

type Context = Readonly<Record<string, string>>;
const inGeneration = (generation: number): Context => ({ ...WISH.encryptionContext, ...generationContext(generation) });

function decision(wish: PolicyWish, action: string, encryptionContext: Context, isAttested = true): string {
  const caller = callerOf(ROLE);
  const context = requestContext({ caller, action, registers: isAttested ? IMAGE : undefined, encryptionContext });
  const live = parseKeyPolicy(JSON.stringify({ Statement: printed(wish) }));
  return evaluatePolicy(live, { caller, action, keyArn: KEY_ARN, context, accountAllows: 'yes' });
}

t.test('opens the named generation and no other, and no key set that names none', async (t) => {
  t.equal(decision(PINNED, 'kms:Decrypt', inGeneration(7)), 'allow');
  for (const context of [inGeneration(6), inGeneration(8), inGeneration(70), WISH.encryptionContext])
    t.equal(decision(PINNED, 'kms:Decrypt', context), 'explicit-deny', JSON.stringify(context));
  t.equal(decision(PINNED, 'kms:Decrypt', inGeneration(7), false), 'explicit-deny', 'without a document');
  t.equal(
    decision(PINNED, 'kms:Decrypt', generationContext(7)),
    'implicit-deny',
    'without the context of enclave.yaml',
  );
});

t.test('makes data keys of any generation, with a document only', async (t) => {
  for (const generation of [1, 7, 8, 9]) {
    t.equal(decision(PINNED, 'kms:GenerateDataKey', inGeneration(generation)), 'allow', String(generation));
    t.equal(decision(PINNED, 'kms:GenerateDataKey', inGeneration(generation), false), 'explicit-deny');
  }
  for (const action of ['kms:Encrypt', 'kms:GenerateDataKeyWithoutPlaintext', 'kms:ReEncryptTo', 'kms:CreateGrant'])
    t.equal(decision(PINNED, action, inGeneration(7)), 'explicit-deny', action);
  t.equal(decision(PINNED, 'kms:GenerateDataKeyPair', inGeneration(7)), 'implicit-deny');
});

t.test('opens two generations while keys change, and every one where none is named', async (t) => {
  t.equal(decision(CHANGING, 'kms:Decrypt', inGeneration(7)), 'allow');
  t.equal(decision(CHANGING, 'kms:Decrypt', inGeneration(8)), 'allow');
  t.equal(decision(CHANGING, 'kms:Decrypt', inGeneration(6)), 'explicit-deny');
  for (const generation of [1, 6, 7]) t.equal(decision(BORN, 'kms:Decrypt', inGeneration(generation)), 'allow');
});

t.test('finds nothing but that two generations open, in what is printed for a change', async (t) => {
  t.same(codesIn(printed(PINNED), { wish: PINNED, isGenerationPinned: true }), []);
  t.match(findingsIn(printed(CHANGING), { wish: CHANGING }), [
    { code: 'POLICY_GENERATIONS', found: 'generations 7 and 8', severity: 'warning' },
  ]);
});

t.test('finds a policy that demands no generation though enclave.yaml relies on it', async (t) => {
  t.same(codesIn(printed(BORN), { wish: BORN, isGenerationPinned: true }), ['POLICY_GENERATION_FREE']);
  t.same(codesIn(printed(BORN), { wish: BORN }), [], 'where it does not, nothing is found');
  t.ok(codesIn(printed(BORN), { wish: PINNED }).includes('POLICY_GENERATION'), 'nor does it hold a named one');
});

t.test('finds an old generation that still opens, and a new one that does not', async (t) => {
  const codes = (live: PolicyWish, wish: PolicyWish) => codesIn(printed(live), { wish });
  t.ok(codes(CHANGING, { ...BORN, generations: [8] }).includes('POLICY_GENERATION'));
  t.ok(codes(PINNED, { ...BORN, generations: [8] }).includes('POLICY_ENCLAVE_REFUSED'));
  t.ok(codes(PINNED, CHANGING).includes('POLICY_ENCLAVE_REFUSED'), 'the next one does not open yet');
  t.ok(codes(PINNED, BORN).includes('POLICY_ENCLAVE_REFUSED'), 'a generation must be named where one is demanded');
});

const inContext = (StringEquals: Json): Json => ({ ...DEMANDED, StringEquals });
const WEAKER: readonly (readonly [string, Json, string])[] = [
  ['a second statement without the generation', allow({ Condition: DEMANDED }), 'POLICY_GENERATION'],
  [
    'a pattern of generations',
    allow({ Condition: { ...DEMANDED, StringLike: { [GENERATION]: '*' } } }),
    'POLICY_GENERATION',
  ],
  [
    'all generations but one',
    allow({ Condition: { ...DEMANDED, StringNotEquals: { [GENERATION]: '6' } } }),
    'POLICY_GENERATION',
  ],
  [
    'the older one, however it is spelt',
    allow({ Condition: inContext({ ...DEMANDED.StringEquals, 'kms:encryptioncontext:ACRA-ENCLAVE-GENERATION': '6' }) }),
    'POLICY_GENERATION',
  ],
  [
    'a data key for everybody',
    allow({ Action: 'kms:GenerateDataKey', Principal: { AWS: OTHER_ROLE } }),
    'POLICY_DATA_KEY',
  ],
  [
    'a pair of keys for the administrator, in one generation',
    allow({
      Action: 'kms:GenerateDataKeyPair',
      Principal: { AWS: ADMINISTRATOR },
      Condition: { StringEquals: { [GENERATION]: '9' } },
    }),
    'POLICY_DATA_KEY',
  ],
  [
    'a data key that nobody sees, to seal with',
    allow({ Action: 'kms:GenerateDataKeyWithoutPlaintext' }),
    'POLICY_SEALING',
  ],
  ['sealing by hand', allow({ Action: 'kms:Encrypt', Principal: { AWS: ADMINISTRATOR } }), 'POLICY_SEALING'],
];

t.test('finds each statement that weakens it, unless the Denies hold it', async (t) => {
  const allows = printed(PINNED).filter(({ Effect }) => Effect === 'Allow');
  const denies = printed(PINNED).filter(({ Effect }) => Effect === 'Deny');
  for (const [name, statement, code] of WEAKER) {
    const open = codesIn([...allows, statement], { wish: PINNED });
    t.ok(open.includes(code), `${name}: ${open.join()}`);
    t.notOk(codesIn([...allows, statement, ...denies], { wish: PINNED }).includes(code), `${name}, denied`);
  }
});

t.test('finds a missing Deny of other generations', async (t) => {
  const live = printed(PINNED).filter(({ Sid }) => Sid !== 'NobodyWithAnotherGeneration');
  t.match(findingsIn(live, { wish: PINNED }), [{ code: 'POLICY_DENY_MISSING' }]);
});
