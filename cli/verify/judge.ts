/** The verifier's judgement of what was fetched: the TLS key that is compared is that of the connection on which it came. */
import { AttestationError } from '../../attestation/errors.ts';
import type { Claim } from '../../attestation/verify/checklist.ts';
import type { Demands } from '../../attestation/verify/demands.ts';
import type { VerifyReport } from '../../attestation/verify/report.ts';
import { verify } from '../../attestation/verify/verify.ts';
import type { Fetched } from './fetched.ts';

/** @throws AttestationError ATTESTATION_POLICY_INVALID, ATTESTATION_TRUST_ROOT_INVALID, for demands that are none */
export function judge({ document, statement, tls }: Fetched, demands: Omit<Demands, 'tlsKeySha256'>): VerifyReport {
  return verify(
    { document, ...(statement && { statement }) },
    { ...demands, ...(tls && { tlsKeySha256: tls.keySha256 }) },
  );
}

/** A claim that failed, for commands that go on only where none has; undefined for one without a code. */
export function errorOf({ claim, code, reason = '', found, allowed }: Claim): AttestationError | undefined {
  if (code === undefined) return undefined;
  return new AttestationError(code, `${claim}: ${reason}`, {
    ...(found === undefined ? {} : { found }),
    ...(allowed === undefined ? {} : { allowed }),
  });
}
