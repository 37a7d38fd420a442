/**
 * Error codes of the security module (NSM_), and of attestation documents and policy (ATTESTATION_). A refusal that an
 * operator must tell apart has a code of its own.
 */
import type { ErrorCatalogue } from '../runtime/errors.ts';
import { CodedError } from '../runtime/errors.ts';

const REPORT = 'Check that both ends run the same release; otherwise treat the sender as hostile.';
const REBUILD = 'Compare the measurements with those of the image that you built and deployed.';

export const NSM_ERRORS = {
  NSM_DEVICE_OPEN: {
    meaning: 'The Nitro Security Module device cannot be opened.',
    action: 'Run inside an enclave whose kernel has CONFIG_NSM or has loaded nsm.ko.',
  },
  NSM_DEVICE_IOCTL: {
    meaning: 'The driver of the security module refused the call or timed out.',
    action: 'Look up the errno that is shown; after ETIMEDOUT restart the enclave.',
  },
  NSM_CLOSED: {
    meaning: 'The security module was used after it had been closed.',
    action: 'Report it: parts were stopped in the wrong order.',
  },
  NSM_REQUEST_INVALID: {
    meaning: 'A request to the security module is not one that its interface defines, or is out of range.',
    action: 'Keep to PCR 0-31, and to 1024 bytes each of user data, nonce and public key.',
  },
  NSM_REQUEST_TOO_LARGE: {
    meaning: 'A request is longer than the 4096 bytes that the driver takes.',
    action: 'Send less data in one call.',
  },
  NSM_RESPONSE_INVALID: {
    meaning: 'The answer of the security module is malformed or answers another question.',
    action: 'Check the kernel and hypervisor versions.',
  },
  NSM_INVALID_ARGUMENT: {
    meaning: 'The security module refused an argument.',
    action: 'Check sizes and ranges of the call.',
  },
  NSM_INVALID_INDEX: { meaning: 'The security module has no such PCR.', action: 'Use a PCR from 0 to 31.' },
  NSM_INVALID_RESPONSE: {
    meaning: 'The security module says that its own answer does not fit the request.',
    action: 'Check the kernel and hypervisor versions.',
  },
  NSM_READ_ONLY_INDEX: {
    meaning: 'The PCR is locked: it can be neither extended nor locked again.',
    action: 'Extend a PCR from 16 to 31 before it is locked.',
  },
  NSM_INVALID_OPERATION: {
    meaning: 'The security module cannot do this in its present state.',
    action: 'Check the order of extend and lock calls.',
  },
  NSM_BUFFER_TOO_SMALL: {
    meaning: 'The answer does not fit the buffer that the driver gave the security module.',
    action: 'Send less data in one call.',
  },
  NSM_INPUT_TOO_LARGE: { meaning: 'An input is over its limit.', action: 'Send less data in one call.' },
  NSM_INTERNAL_ERROR: { meaning: 'The security module failed inside.', action: 'Try again; then restart the enclave.' },
} as const satisfies ErrorCatalogue;

export class NsmError extends CodedError<keyof typeof NSM_ERRORS> {}

export const ATTESTATION_ERRORS = {
  ATTESTATION_TOO_LARGE: {
    meaning: 'An attestation document is longer than any that a security module makes.',
    action: REPORT,
  },
  ATTESTATION_COSE_INVALID: {
    meaning: 'An attestation document is not a strict COSE_Sign1 structure with the ES384 header.',
    action: REPORT,
  },
  ATTESTATION_PAYLOAD_INVALID: {
    meaning: 'The payload of an attestation document breaks the syntax rules of the format.',
    action: REPORT,
  },
  ATTESTATION_NITROTPM: {
    meaning:
      'The document attests a whole instance by its NitroTPM, not an enclave. The same root signs both, but their registers mean different things.',
    action: 'Ask the enclave itself; judge documents of attestable AMIs by tools made for them.',
  },
  ATTESTATION_CERTIFICATE_INVALID: {
    meaning: 'A certificate of the document is not a strict X.509 v3 certificate with a P-384 key and ECDSA-SHA384.',
    action: REPORT,
  },
  ATTESTATION_CERTIFICATE_EXPIRED: {
    meaning: 'A certificate of the document has expired: the document is old, or a clock is ahead.',
    action: 'Ask for a fresh document; check the clock of the verifier.',
  },
  ATTESTATION_CERTIFICATE_NOT_YET_VALID: {
    meaning: 'A certificate of the document is not valid yet: a clock is behind.',
    action: 'Check the clock of the verifier.',
  },
  ATTESTATION_ROOT_MISMATCH: {
    meaning: 'The document names another root certificate than the one that is trusted.',
    action: 'Verify documents of emulated enclaves with the root of their emulator, real ones with the root of AWS.',
  },
  ATTESTATION_CHAIN_BROKEN: {
    meaning: 'A certificate was not issued by the next one in the chain.',
    action: REPORT,
  },
  ATTESTATION_CHAIN_CONSTRAINT: {
    meaning: 'A certificate stands where its basic constraints, path length or key usage do not allow it.',
    action: REPORT,
  },
  ATTESTATION_SIGNATURE_INVALID: {
    meaning: 'The signature of the document does not verify under the key of its certificate.',
    action: REPORT,
  },
  ATTESTATION_POLICY_INVALID: {
    meaning: 'What a verifier was told to demand says not which image is meant, or a value in it has the wrong form.',
    action: 'Name PCR0, or PCR1 and PCR2, with 48 bytes each; nonces have 16 to 64 bytes, hashes of keys 32.',
  },
  ATTESTATION_TRUST_ROOT_INVALID: {
    meaning: 'The root that a verifier is told to trust is not one certificate.',
    action:
      'Name a PEM file with one CERTIFICATE block: the root alone, without the rest of the chain; for documents of AWS name none.',
  },
  ATTESTATION_DEBUG_MODE: {
    meaning: 'PCR0, PCR1 or PCR2 is all zero: the enclave runs in debug mode and proves nothing.',
    action: 'Start the enclave without --debug-mode.',
  },
  ATTESTATION_PCR_MISSING: {
    meaning: 'The document lacks a PCR that the policy demands; documents carry locked PCRs only.',
    action: 'Lock the PCR in the enclave before it attests, or take it out of the policy.',
  },
  ATTESTATION_PCR_MISMATCH: { meaning: 'A PCR has another value than the policy demands.', action: REBUILD },
  ATTESTATION_NONCE_MISSING: {
    meaning: 'A nonce was demanded and the document has none.',
    action: 'Ask for a document with the nonce; refuse replayed ones.',
  },
  ATTESTATION_NONCE_MISMATCH: {
    meaning: 'The nonce in the document is not the one that was sent: it answers somebody else or was replayed.',
    action: 'Ask again; if it persists, treat the sender as hostile.',
  },
  ATTESTATION_TOO_OLD: {
    meaning: 'The document is older than the policy allows.',
    action: 'Ask for a fresh document; check both clocks.',
  },
  ATTESTATION_FROM_FUTURE: {
    meaning: 'The document was made later than the clock of the verifier says.',
    action: 'Check the clock of the verifier.',
  },
  ATTESTATION_PCR_UNKNOWN: {
    meaning: 'A register holds a value though nothing that is known is measured into it, and nobody demanded it.',
    action: 'Find out who extended it; when it is as it should be, demand its value.',
  },
  ATTESTATION_USER_DATA_INVALID: {
    meaning:
      'The user data of the document is not what an acra-enclave states of itself: the hash of its TLS key and its run-time commitment.',
    action: 'Ask the attestation endpoint of the enclave; documents that are made for KMS hold no user data.',
  },
  ATTESTATION_STATEMENT_MISSING: {
    meaning: 'There is no runtime statement: neither with the document nor among what is expected.',
    action: 'Take the statement from the same answer as the document, or name measurements that hold one.',
  },
  ATTESTATION_STATEMENT_INVALID: {
    meaning:
      'The runtime statement is not one of a known version, has unknown members, or is not in its one canonical form.',
    action: 'Verify with the release that built the enclave, or a later one; otherwise treat the sender as hostile.',
  },
  ATTESTATION_COMMITMENT_MISMATCH: {
    meaning: 'The document commits to another runtime statement than the one that is shown with it.',
    action: 'Take the statement from the same answer as the document; if it persists, treat the sender as hostile.',
  },
  ATTESTATION_STATEMENT_MISMATCH: {
    meaning: 'The enclave runs with other settings than the published statement says.',
    action: 'Compare the members that are named; ask the provider for the measurements of what is deployed.',
  },
  ATTESTATION_GUARD_NOT_ENFORCING: {
    meaning:
      'The guard lets statements pass that it cannot protect (`report`), or there is none (`ingress.tls: passthrough`, or `workload: app`).',
    action:
      'Of an application that is no Acra, demand its `measurements.json`, not registers alone. Of Acra, ask the operator for guard.mode: enforce, or allow it by name if you accept that plaintext may be stored.',
  },
  ATTESTATION_ANY_RELATION: {
    meaning: 'Values may go to relations and functions that nobody listed (`guard.relations: any`).',
    action: 'Ask the operator for guard.relations: listed, or allow it by name if you accept it.',
  },
  ATTESTATION_MIGRATION_OPEN: {
    meaning: 'Existing rows of a column are being encrypted, and some may still be plaintext.',
    action: 'Wait until the operator has ended the migration, or allow it by name if you accept it.',
  },
  ATTESTATION_TLS_KEY_MISMATCH: {
    meaning: 'The TLS connection ends at another key than the one that the enclave attests: somebody sits between.',
    action: 'Do not send anything over this connection; treat who answered as hostile.',
  },
  ATTESTATION_TLS_KEY_SEALED: {
    meaning: 'An operator made the TLS key of the enclave (`tls.key: sealed`), though one born inside was demanded.',
    action: 'Ask the operator for tls.key: attested, or do not demand it.',
  },
  ATTESTATION_KEYS_UNPINNED: {
    meaning:
      'The enclave may be given older keys than those that its operators mean, though that was to be excluded: its parent instance keeps the keys, and nothing that is attested pins them.',
    action:
      'Ask the operator for `keys.pin` with the SHA-256 of the key set. Where the key policy of KMS pins the generation (`keys.pin: policy`), let somebody check that policy (`policy check --generation`), and allow it by name.',
  },
  ATTESTATION_HPKE_KEY_INVALID: {
    meaning: 'The public key in the document is no X25519 key of 32 bytes, or one with which every secret is known.',
    action: REPORT,
  },
  ATTESTATION_FOLDER_UNREADABLE: {
    meaning: 'The measured folder cannot be hashed as the runtime statement needs it; the message says which file.',
    action: 'Keep to plain files that can be read, with names without control characters and backslashes.',
  },
  ATTESTATION_STATEMENT_IMPOSSIBLE: {
    meaning: 'The configuration does not fit into a runtime statement, so the enclave could not commit to it.',
    action: 'Shorten what the message names; use ASCII for the names in `kms.encryptionContext`.',
  },
} as const satisfies ErrorCatalogue;

export class AttestationError extends CodedError<keyof typeof ATTESTATION_ERRORS> {}
