/** That older keys may be in use is no failed claim, unless the contrary was demanded; and nobody should have to look for it. */
import type { VerifyReport } from '../../attestation/verify/report.ts';

/** @returns undefined where rollback is excluded, or nothing is known of the keys */
export function rollbackNote({ claims, statement }: VerifyReport): string | undefined {
  if (statement === null || statement.workload === 'app' || statement.keys.source !== 'parent') return undefined;
  const open = claims.find(({ claim, result }) => claim === 'rollback' && result === 'not-run');
  return open === undefined ? undefined : (open.reason ?? '');
}
