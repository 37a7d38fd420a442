/** The verifier's judgement of what was fetched: the TLS key that is compared is that of the connection on which it came. */
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
