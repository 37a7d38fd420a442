/** Checks a live key policy, with its grants and the role's IAM policies where they are given, against what was wished for. */
import { usesOf } from '../actions.ts';
import { makeKeyPolicy } from '../key-policy.ts';
import type { Policy } from '../language/document.ts';
import { parseKeyPolicy } from '../language/document.ts';
import { accountOf } from '../language/principal.ts';
import type { PolicyWish } from '../wish.ts';
import { Comparer } from './compare.ts';
import type { Context } from './contexts.ts';
import { contextsToTry } from './contexts.ts';
import { valuesOf } from './documents.ts';
import type { PolicyFinding } from './findings.ts';
import { makingContexts, ownContexts, tryGenerations } from './generations.ts';
import { examineGrants, type Grant } from './grants.ts';
import { callersToTry } from './mentioned.ts';
import { Report } from './report.ts';
import { tryRevealing } from './revealing.ts';
import { examineRolePolicies } from './role-policies.ts';
import { type Needed, tryEnclave, tryRuling, tryUses } from './ruling.ts';
import { examineShape } from './shape.ts';
import type { Trial } from './trial.ts';

export interface PolicyCheck {
  readonly live: Policy;
  readonly wish: PolicyWish;
  /** undefined: not known; statements that name a key are then not judged. */
  readonly keyArn?: string | undefined;
  readonly grants?: readonly Grant[] | undefined;
  /** Of the parent instance's role. */
  readonly rolePolicies?: readonly Policy[] | undefined;
  /** enclave.yaml relies on the policy to demand the generation (`keys.pin: policy`). */
  readonly isGenerationPinned?: boolean;
}

/** None where the live policy lets in whom the wish names, and nobody else. @throws KmsPolicyError KMS_POLICY_WISH */
export function checkPolicy(check: PolicyCheck): readonly PolicyFinding[] {
  const { live, wish, keyArn, grants, rolePolicies, isGenerationPinned = false } = check;
  const { roleArn, administrators, policyAdministrators, keysBornInEnclave } = wish;
  const own = ownContexts(wish);
  const report = new Report();
  const { contexts, isIncomplete } = contextsToTry(live, own);
  if (isIncomplete)
    report.add('POLICY_TOO_MANY_VALUES', null, 'encryption contexts with one deviation at a time were tried');
  const wanted = parseKeyPolicy(JSON.stringify(makeKeyPolicy(wish)));
  const trial: Trial = {
    live,
    comparer: new Comparer(live, wanted, keyArn),
    callers: callersToTry(live, [roleArn, ...administrators, ...policyAdministrators]),
    roleArn,
    expected: wish.measurements.map(valuesOf),
    contexts,
    own,
    keysBornInEnclave,
    report,
  };
  const needed = neededBy(wish, own);
  examineShape(live, keyArn, report);
  tryRevealing(trial);
  tryRuling(trial);
  if (wish.uses !== undefined) tryUses(trial, usesOf(wish.uses).unattested);
  tryEnclave(trial, needed);
  tryGenerations(trial, wish, isGenerationPinned);
  examineGrants(grants ?? [], live, keyArn, report);
  const isForeign = keyArn !== undefined && accountOf(keyArn) !== accountOf(roleArn);
  const neededOfRole = isForeign ? [...needed.map(({ action }) => action), ...usesOf(wish.uses ?? []).unattested] : [];
  if (rolePolicies) examineRolePolicies(rolePolicies, { roleArn, keyArn, needed: neededOfRole }, report);
  return report.findings();
}

/** What the enclave shows a document for. */
function neededBy(wish: PolicyWish, own: readonly Context[]): readonly Needed[] {
  if (wish.uses !== undefined) return usesOf(wish.uses).attested.map((action) => ({ action, contexts: own }));
  return [
    { action: 'kms:Decrypt', contexts: own },
    ...(wish.keysBornInEnclave ? [{ action: 'kms:GenerateDataKey', contexts: makingContexts(wish) }] : []),
  ];
}
