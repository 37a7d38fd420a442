/**
 * Whether operators ask for it, and ask this enclave, now: enough of those in the measured configuration have signed, and the request names
 * this enclave, what it commits to, the key of this boot and the set in use. So the parent, who carries it, can neither make one nor use
 * one twice. Specification: docs/specs/key-sets.md, 3.
 */
import type { VerifyingKey } from '../../attestation/published/keys.ts';
import { KeyError } from '../../keys/errors.ts';
import { readKeyRequest, requireApprovals, type SignedKeyRequest } from '../../keys/requests/key-request.ts';

export interface RequestDemands {
  readonly operators: readonly VerifyingKey[];
  readonly approvals: number;
  /** `name` of enclave.yaml. */
  readonly name: string;
  /** To the runtime statement, 48 bytes. */
  readonly commitment: Buffer;
  /** X25519, of this boot. */
  readonly enclaveKey: Buffer;
}

export interface JudgedRequest extends SignedKeyRequest {
  /** Names of operators. */
  readonly approvedBy: readonly string[];
}

/**
 * @param file JSON of a DSSE envelope
 * @param from hash of the set in use; null where there is none
 * @throws KeyError KEY_REQUEST_INVALID, KEY_REQUEST_UNAPPROVED, KEY_REQUEST_STALE
 */
export function judgeKeyRequest(file: Buffer, from: string | null, demands: RequestDemands): JudgedRequest {
  const request = readKeyRequest(file);
  const approvedBy = requireApprovals(request, demands.operators, demands.approvals);
  const { content } = request;
  const bindings = [
    ['another enclave', content.enclave, demands.name],
    ['another configuration of the enclave', content.commitment, demands.commitment.toString('hex')],
    ['another boot of the enclave', content.enclaveKey, demands.enclaveKey.toString('base64')],
    ['another key set than the one in use', content.from ?? 'none', from ?? 'none'],
  ] as const;
  for (const [what, found, allowed] of bindings) {
    if (found === allowed) continue;
    throw new KeyError('KEY_REQUEST_STALE', `the request is for ${what}`, { found, allowed });
  }
  return { ...request, approvedBy };
}
