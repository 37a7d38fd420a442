/**
 * What the operator of a CA must know before he signs for an enclave: the document is authentic and fresh, the enclave runs what the
 * measurements say, the key was made in it, and the request is for that key. Names in the request need no further proof: whoever has the
 * key signed them, and only the measured image has it, whose configuration the names are from.
 */
import type { AttestedRequest } from '../../attestation/certificate-request-file.ts';
import type { Claim } from '../../attestation/verify/checklist.ts';
import type { Allowances, Demands, JudgementTime } from '../../attestation/verify/demands.ts';
import { verify } from '../../attestation/verify/verify.ts';
import { type CertificateRequest, readCertificateRequest } from '../../keys/tls/certificate-request.ts';
import { TlsKeyError } from '../../keys/tls/errors.ts';
import { errorOf } from '../verify/judge.ts';

export interface RequestDemands {
  /** Which image, and whose root; of the rest of a verification nothing is taken. */
  readonly expected: Pick<Demands, 'measurements' | 'trustRootPem'>;
  /** As it was sent; undefined for a file whose nonce nobody chose. */
  readonly nonce: Buffer | undefined;
  readonly time: Extract<JudgementTime, { by: 'clock' }>;
}

/** How guard and keys are set is for whoever sends data; a certificate, and a request about keys, says whose they are. */
export const ANY_GUARD: Required<Allowances> = {
  reportGuard: true,
  noGuard: true,
  anyRelation: true,
  openMigrations: true,
  policyPin: true,
};

function failureOf(failed: Claim): Error {
  const error = errorOf(failed);
  if (failed.claim !== 'tls-key' && error !== undefined) return error;
  const { found, allowed } = failed;
  return new TlsKeyError('TLS_REQUEST_NOT_BOUND', 'the request is for another key than the document names', {
    ...(found === undefined ? {} : { found }),
    ...(allowed === undefined ? {} : { allowed }),
  });
}

/** @throws AttestationError of the first claim that fails; TlsKeyError TLS_REQUEST_INVALID, TLS_REQUEST_NOT_BOUND */
export function judgeRequest(attested: AttestedRequest, demands: RequestDemands): CertificateRequest {
  const { expected, nonce, time } = demands;
  const request = readCertificateRequest(attested.request);
  const { claims } = verify(attested, {
    ...expected,
    time,
    ...(nonce === undefined ? {} : { nonce }),
    tlsKeySha256: request.keySha256,
    attestedTlsKey: true,
    allow: ANY_GUARD,
  });
  const failed = claims.find(({ result }) => result === 'fail');
  if (failed !== undefined) throw failureOf(failed);
  return request;
}
