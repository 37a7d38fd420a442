/** Error codes of the lease: why an enclave gives up the key that it has. */
import type { ErrorCatalogue } from '../../runtime/errors.ts';
import { CodedError } from '../../runtime/errors.ts';

export const LEASE_ERRORS = {
  LEASE_REFUSED: {
    meaning:
      'KMS was asked again and refuses the master key to this enclave: the key policy, the key or the role has changed. The service ended in order.',
    action:
      'If it was meant: nothing, the enclave is revoked. Else put the measurements back into the key policy, enable the key, or correct the role; it serves again by itself once it is started.',
  },
  LEASE_EXPIRED: {
    meaning:
      'KMS has given no answer for longer than lease.maxAgeMs, so nobody knows whether it still would; the service ended in order.',
    action: 'Mend the way to KMS or IMDS (the records `lease.outage` say what failed); the next start asks KMS first.',
  },
  LEASE_KEY_DIFFERS: {
    meaning: 'KMS answered with another master key than at boot for the same ciphertext; the service ended in order.',
    action: 'Treat it as an attack: look at who answers for KMS, and at the CA in `kms.ca`.',
  },
} as const satisfies ErrorCatalogue;

export class LeaseError extends CodedError<keyof typeof LEASE_ERRORS> {}
