/**
 * The generations of key sets: which encryption contexts an enclave names, and whether older sets open. Only Decrypt is held to a
 * generation; data keys are made for the next one before this one goes.
 */
import { GENERATION_CONTEXT, generationContext } from '../../../wire/generation-context.ts';
import type { PolicyWish } from '../wish.ts';
import type { Probe } from './compare.ts';
import type { Context } from './contexts.ts';
import type { Trial } from './trial.ts';

const DECRYPT = 'kms:Decrypt';

type Wish = Pick<PolicyWish, 'encryptionContext' | 'generations'>;

/** Those under which the enclave has its keys opened: of each generation that was named. */
export function ownContexts({ encryptionContext, generations = [] }: Wish): readonly Context[] {
  if (generations.length === 0) return [encryptionContext];
  return generations.map((generation) => ({ ...encryptionContext, ...generationContext(generation) }));
}

/** Under which it has a data key made: of those, and of one that nobody named. */
export function makingContexts(wish: Wish): readonly Context[] {
  const { encryptionContext, generations = [] } = wish;
  return [...ownContexts(wish), { ...encryptionContext, ...generationContext(Math.max(0, ...generations) + 1) }];
}

const withoutGeneration = (context: Context) =>
  JSON.stringify(
    Object.entries(context)
      .filter(([name]) => name.toLowerCase() !== GENERATION_CONTEXT)
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );

/** What it means that the enclave's document gets in under a context; undefined: it is the enclave's own. */
export function codeOfContext(
  { own }: Pick<Trial, 'own'>,
  { action, encryptionContext }: Probe,
): 'POLICY_CONTEXT' | 'POLICY_GENERATION' | undefined {
  if (own.includes(encryptionContext)) return undefined;
  const isOtherGeneration = own.some((each) => withoutGeneration(each) === withoutGeneration(encryptionContext));
  if (!isOtherGeneration) return 'POLICY_CONTEXT';
  return action === DECRYPT ? 'POLICY_GENERATION' : undefined;
}

/**
 * What the named generations leave open, and, where enclave.yaml relies on the policy and none was named, whether it demands any.
 * @param isPinned by `keys.pin: policy`
 */
export function tryGenerations(trial: Trial, { encryptionContext, generations = [] }: Wish, isPinned: boolean): void {
  const { callers, comparer, expected, own, report, roleArn } = trial;
  const caller = callers.find(({ policyArn }) => policyArn === roleArn);
  if (caller === undefined) return;
  const compare = (context: Context) =>
    expected.map((document) => comparer.compare({ caller, action: DECRYPT, document, encryptionContext: context }));
  const opens = (context: Context) => compare(context).some(({ live }) => ['allow', 'undecided'].includes(live));
  const open = generations.filter((_, index) => opens(own[index] ?? encryptionContext));
  if (open.length > 1) report.add('POLICY_GENERATIONS', null, `generations ${open.join(' and ')}`);
  const ofNobody = { ...encryptionContext, ...generationContext(Number.MAX_SAFE_INTEGER) };
  if (isPinned && generations.length === 0 && opens(ofNobody))
    report.add('POLICY_GENERATION_FREE', null, `${DECRYPT} in any generation`);
  if (compare(ofNobody).some(({ difference }) => difference === 'not-denied'))
    report.add('POLICY_DENY_MISSING', null, `${DECRYPT} in another generation`);
}
