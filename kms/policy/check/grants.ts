/**
 * Grants (`aws kms list-grants`; KMS guide, "Grants"): they let in beside the key policy, and only an explicit Deny beats them. Their
 * constraints are about the encryption context, never about attestation.
 */
import { z } from 'zod';
import { DELEGATING, RE_ENCRYPTING, REVEALING, SEALING } from '../actions.ts';
import { KmsPolicyError } from '../errors.ts';
import type { Policy } from '../language/document.ts';
import { someApplies } from '../language/evaluate.ts';
import { requestContext } from '../language/request-context.ts';
import { callerOf } from './mentioned.ts';
import type { Report } from './report.ts';

/** More of them on a further page: of the API, of the command with `--max-items`. */
const isWhole = (list: {
  Truncated?: boolean | undefined;
  NextMarker?: string | undefined;
  NextToken?: string | undefined;
}) => list.Truncated !== true && list.NextMarker === undefined && list.NextToken === undefined;

const grantsSchema = z.object({
  Truncated: z.boolean().optional(),
  NextMarker: z.string().optional(),
  NextToken: z.string().optional(),
  Grants: z.array(
    z.object({
      GrantId: z.string(),
      GranteePrincipal: z.string().optional(),
      GranteeServicePrincipal: z.string().optional(),
      Operations: z.array(z.string()).default([]),
    }),
  ),
});
export type Grant = z.output<typeof grantsSchema>['Grants'][number];

/** @throws KmsPolicyError KMS_POLICY_SYNTAX */
export function parseGrants(text: string): readonly Grant[] {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new KmsPolicyError('KMS_POLICY_SYNTAX', 'the list of grants is not JSON', { cause });
  }
  const parsed = grantsSchema.safeParse(json);
  if (parsed.success && isWhole(parsed.data)) return parsed.data.Grants;
  if (parsed.success) {
    throw new KmsPolicyError('KMS_POLICY_SYNTAX', 'the list of grants goes on behind its end', {
      allowed: 'all of them: `aws kms list-grants` without --max-items, --limit and --no-paginate',
    });
  }
  throw new KmsPolicyError('KMS_POLICY_SYNTAX', 'not a list of grants', { found: z.prettifyError(parsed.error) });
}

const HARMFUL: readonly string[] = [...REVEALING, RE_ENCRYPTING, ...SEALING, DELEGATING];

export function examineGrants(
  grants: readonly Grant[],
  live: Policy,
  keyArn: string | undefined,
  report: Report,
): void {
  for (const { GrantId, GranteePrincipal, GranteeServicePrincipal, Operations } of grants) {
    const grantee = GranteePrincipal ?? GranteeServicePrincipal ?? 'somebody';
    const caller = callerOf(grantee);
    const harmful = Operations.map((operation) => `kms:${operation}`).filter((action) => HARMFUL.includes(action));
    const open = harmful.filter((action) => {
      const request = {
        caller,
        action,
        keyArn,
        context: requestContext({ caller, action }),
        accountAllows: 'yes',
      } as const;
      return someApplies(live, 'Deny', request) !== 'yes';
    });
    const what = (actions: readonly string[]) => `grant ${GrantId.slice(0, 12)}… to ${grantee}: ${actions.join(', ')}`;
    if (open.length > 0) report.add('GRANT_LIVE', null, what(open));
    else if (harmful.length > 0) report.add('GRANT_DENIED', null, what(harmful));
  }
}
