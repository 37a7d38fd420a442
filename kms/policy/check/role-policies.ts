/** IAM policies of the parent instance's role: randomness for the enclave, and nothing else of KMS. */
import { ADMINISTERING, DELEGATING, RE_ENCRYPTING, REVEALING, RULING, SEALING } from '../actions.ts';
import type { Policy } from '../language/document.ts';
import { decide, someApplies } from '../language/evaluate.ts';
import { requestContext } from '../language/request-context.ts';
import { callerOf } from './mentioned.ts';
import type { Report } from './report.ts';

const NOT_NEEDED = [...REVEALING, RE_ENCRYPTING, ...SEALING, DELEGATING, ...RULING, ...ADMINISTERING];

/** @param needed actions that a key of another account must be allowed here for */
export function examineRolePolicies(
  policies: readonly Policy[],
  { roleArn, keyArn, needed }: { roleArn: string; keyArn: string | undefined; needed: readonly string[] },
  report: Report,
): void {
  const all = policies.flat();
  const caller = callerOf(roleArn);
  const decision = (action: string, resource: string | undefined) => {
    const context = requestContext({ caller, action });
    const request = { caller, action, keyArn: resource, context, accountAllows: 'yes' } as const;
    return decide(someApplies(all, 'Allow', request), someApplies(all, 'Deny', request));
  };
  const random = 'kms:GenerateRandom';
  // With a document conditions on registers may hold; that randomness is denied without one is no fault.
  if (!all.some(({ effect, actions }) => effect === 'Allow' && actions.patterns.includes(random.toLowerCase()))) {
    if (decision(random, '*') !== 'allow') report.add('IAM_RANDOM_MISSING', null, random);
  }
  const wide = NOT_NEEDED.filter(
    (action) => !needed.includes(action) && decision(action, keyArn).endsWith('deny') === false,
  );
  if (wide.length > 0) report.add('IAM_TOO_WIDE', null, wide.join(', '));
}
