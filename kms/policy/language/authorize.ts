/**
 * A key policy and the caller's IAM policies together (IAM reference, "Policy evaluation logic"; KMS guide, "Key access"). In the
 * key's account the union decides, but IAM policies count only where the key policy hands over to the account; from another account
 * both must allow. An explicit Deny of either wins. Grants, boundaries, session and organization policies are not looked at: but for
 * grants they can only take away.
 */
import type { Policy } from './document.ts';
import type { Decision, PolicyRequest } from './evaluate.ts';
import { decide, someApplies } from './evaluate.ts';
import { accountOf } from './principal.ts';
import { every, some } from './truth.ts';

/** Concerns no key, so no key policy says anything of it. */
const KEYLESS = 'kms:generaterandom';

/** @param identityPolicies undefined: not known. They then count for nothing, except that what is left to them is undecided. */
export function authorize(
  keyPolicy: Policy,
  identityPolicies: readonly Policy[] | undefined,
  request: Omit<PolicyRequest, 'accountAllows'>,
): Decision {
  const isKeyless = request.action.toLowerCase() === KEYLESS;
  const own = { ...request, ...(isKeyless && { keyArn: '*' }), accountAllows: 'unknown' } as const;
  const all = identityPolicies?.flat() ?? [];
  const identityAllows = identityPolicies === undefined ? 'unknown' : someApplies(all, 'Allow', own);
  if (isKeyless) return decide(identityAllows, someApplies(all, 'Deny', own));
  const asked = { ...request, accountAllows: identityAllows } as const;
  const keyAllows = someApplies(keyPolicy, 'Allow', asked);
  const isDenied = some([someApplies(keyPolicy, 'Deny', asked), someApplies(all, 'Deny', own)]);
  const keyAccount = request.keyArn === undefined ? undefined : accountOf(request.keyArn);
  const isForeign = keyAccount !== undefined && keyAccount !== accountOf(request.caller.arn);
  return decide(isForeign ? every([keyAllows, identityAllows]) : keyAllows, isDenied);
}
