/** What is no failed claim, unless the contrary was demanded, and what nobody should have to look for in a statement. */
import type { VerifyReport } from '../../attestation/verify/report.ts';
import { rdsIamWarnings } from '../../config/rds-iam.ts';

type Noted = Pick<VerifyReport, 'claims' | 'statement'>;

/** Undefined where rollback is excluded, or nothing is known of the keys. */
function rollbackNote({ claims, statement }: Noted): string | undefined {
  if (statement === null || statement.workload === 'app' || statement.keys.source !== 'parent') return undefined;
  const open = claims.find(({ claim, result }) => claim === 'rollback' && result === 'not-run');
  return open === undefined ? undefined : (open.reason ?? '');
}

export function notesOf(report: Noted): readonly string[] {
  const { statement } = report;
  const rollback = rollbackNote(report);
  return [
    ...(rollback === undefined ? [] : [rollback]),
    ...(statement === null || statement.workload === 'app' ? [] : rdsIamWarnings(statement)),
  ];
}
