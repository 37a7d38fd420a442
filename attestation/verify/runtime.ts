/**
 * What an enclave says of how it runs, and whether it is held to it: user data, runtime statement, commitment, and what of the statement
 * a user of the service should know. Specification: ../runtime/statement.ts, ../runtime/user-data.ts.
 */
import { type CanonicalValue, canonicalJson } from '../../encoding/canonical-json.ts';
import { wrapFormatError } from '../../encoding/format-error.ts';
import { AttestationError } from '../errors.ts';
import type { AcraRuntimeStatement, RuntimeStatement } from '../runtime/statement.ts';
import { commitmentTo, decodeStatement, encodeStatement } from '../runtime/statement.ts';
import { type AttestedUserData, decodeUserData } from '../runtime/user-data.ts';
import type { Allowances } from './demands.ts';

export interface ShownStatement {
  readonly statement: RuntimeStatement;
  /** What is hashed. */
  readonly encoding: Buffer;
}

/** @throws AttestationError ATTESTATION_USER_DATA_INVALID */
export function readUserData(userData: Buffer | undefined): AttestedUserData {
  if (userData === undefined) {
    throw new AttestationError('ATTESTATION_USER_DATA_INVALID', 'the document has no user data');
  }
  return wrapFormatError(
    () => decodeUserData(userData),
    (cause) => new AttestationError('ATTESTATION_USER_DATA_INVALID', 'not the user data of an acra-enclave', { cause }),
  );
}

/**
 * @param shown with the document
 * @param expected takes its place where none is shown
 * @throws AttestationError ATTESTATION_STATEMENT_MISSING, ATTESTATION_STATEMENT_INVALID
 */
export function readStatement(shown: Uint8Array | undefined, expected: RuntimeStatement | undefined): ShownStatement {
  if (shown === undefined && expected === undefined) {
    throw new AttestationError('ATTESTATION_STATEMENT_MISSING', 'there is no runtime statement');
  }
  return wrapFormatError(
    () => {
      const encoding = shown ? Buffer.from(shown) : expected ? encodeStatement(expected) : Buffer.alloc(0);
      return { statement: decodeStatement(encoding), encoding };
    },
    (cause) =>
      new AttestationError('ATTESTATION_STATEMENT_INVALID', 'not a runtime statement that is known', { cause }),
  );
}

/** @throws AttestationError ATTESTATION_COMMITMENT_MISMATCH */
export function checkCommitment({ commitment }: AttestedUserData, { encoding }: ShownStatement): void {
  const allowed = commitmentTo(encoding);
  if (commitment.equals(allowed)) return;
  throw new AttestationError('ATTESTATION_COMMITMENT_MISMATCH', 'the document commits to another statement', {
    found: commitment.toString('hex'),
    allowed: allowed.toString('hex'),
  });
}

/** @throws AttestationError ATTESTATION_STATEMENT_MISMATCH */
export function checkExpectedStatement({ statement }: ShownStatement, expected: RuntimeStatement): void {
  const stated = (from: RuntimeStatement, name: string): CanonicalValue => Reflect.get(from, name) ?? null;
  const different = Object.keys(expected).filter(
    (name) => canonicalJson(stated(statement, name)) !== canonicalJson(stated(expected, name)),
  );
  if (different.length === 0) return;
  const pick = (from: RuntimeStatement) =>
    JSON.stringify(Object.fromEntries(different.map((name) => [name, stated(from, name)])));
  throw new AttestationError(
    'ATTESTATION_STATEMENT_MISMATCH',
    `the enclave runs with another ${different.join(', ')}`,
    {
      found: pick(statement),
      allowed: pick(expected),
    },
  );
}

/** @throws AttestationError ATTESTATION_GUARD_NOT_ENFORCING */
export function checkGuard(statement: RuntimeStatement, { reportGuard, noGuard }: Allowances): string {
  const isApp = statement.workload === 'app';
  const mode = isApp ? 'none' : statement.guard.mode;
  const found = isApp ? 'workload app: no Acra, and no guard' : `guard.mode ${mode}`;
  if (mode === 'enforce') return found;
  if (mode === 'report' ? reportGuard : noGuard) return `${found}, which was allowed`;
  if (isApp) {
    throw new AttestationError(
      'ATTESTATION_GUARD_NOT_ENFORCING',
      'this is no Acra, and nobody said that none is expected',
      {
        found,
        allowed: 'measurements with the runtime statement of this application, or the allowance of no guard',
      },
    );
  }
  throw new AttestationError('ATTESTATION_GUARD_NOT_ENFORCING', 'statements that cannot be protected are let through', {
    found,
    allowed: 'guard.mode enforce',
  });
}

/** @throws AttestationError ATTESTATION_ANY_RELATION */
export function checkRelations({ guard: { relations } }: AcraRuntimeStatement, { anyRelation }: Allowances): string {
  const found = `guard.relations ${relations}`;
  if (relations === 'listed') return found;
  if (relations === 'any' && anyRelation) return `${found}, which was allowed`;
  throw new AttestationError('ATTESTATION_ANY_RELATION', 'values may go to relations that nobody listed', {
    found,
    allowed: 'guard.relations listed',
  });
}

/** @throws AttestationError ATTESTATION_MIGRATION_OPEN */
export function checkMigrations(
  { guard: { migrations } }: AcraRuntimeStatement,
  { openMigrations }: Allowances,
): string {
  if (migrations.length === 0) return 'none is open';
  const found = migrations.join(', ');
  if (openMigrations) return `${found}, which was allowed`;
  throw new AttestationError('ATTESTATION_MIGRATION_OPEN', 'existing rows may still be plaintext', {
    found,
    allowed: 'none',
  });
}
