/**
 * Error codes of this folder: the security module (NSM_), attestation documents and policy (ATTESTATION_), recipient
 * envelopes (CMS_) and KMS (KMS_). A refusal that an operator must tell apart has a code of its own.
 */
import type { ErrorCatalogue, ErrorDetails } from '../runtime/errors.ts';
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
    meaning: 'The policy names no PCR, or a value in it has the wrong size.',
    action: 'Name at least one PCR with its 48-byte value.',
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
  ATTESTATION_PUBLIC_KEY_MISMATCH: {
    meaning: 'The document does not bind the public key that was expected.',
    action: 'Ask again; if it persists, treat the sender as hostile.',
  },
  ATTESTATION_USER_DATA_MISMATCH: {
    meaning: 'The document does not bind the user data that was expected.',
    action: 'Ask again; if it persists, treat the sender as hostile.',
  },
} as const satisfies ErrorCatalogue;

export class AttestationError extends CodedError<keyof typeof ATTESTATION_ERRORS> {}

export const CMS_ERRORS = {
  CMS_TOO_LARGE: { meaning: 'A recipient envelope is longer than any that KMS makes.', action: REPORT },
  CMS_SYNTAX: {
    meaning: 'A recipient envelope is not the EnvelopedData structure that KMS makes.',
    action: 'Check what answers at the KMS endpoint.',
  },
  CMS_UNSUPPORTED: {
    meaning: 'A recipient envelope uses other algorithms or parameters than RSAES-OAEP with SHA-256 and AES-256-CBC.',
    action: 'Check what answers at the KMS endpoint.',
  },
  CMS_DECRYPT_FAILED: {
    meaning: 'A recipient envelope does not open: it was made for another key or was changed.',
    action: 'Try again; if it persists, something between the enclave and KMS changes answers.',
  },
} as const satisfies ErrorCatalogue;

export class CmsError extends CodedError<keyof typeof CMS_ERRORS> {}

const KEY_STATE = 'Look at the key in the KMS console and at the pinned ARN in the measured configuration.';
const NETWORK = 'It is tried again; check the route to the KMS endpoint if it lasts.';

export const KMS_ERRORS = {
  KMS_ENDPOINT_INVALID: {
    meaning: 'The KMS endpoint is not an https:// address of a host.',
    action: 'Set kms.endpoint to https://host[:port].',
  },
  KMS_CA_INVALID: {
    meaning: 'The CA that KMS shall be verified with is not a PEM certificate.',
    action: 'Put the CA certificate in PEM form into the file that the measured configuration names.',
  },
  KMS_KEY_ARN_INVALID: {
    meaning: 'The key is not named by a full key ARN; aliases can be pointed elsewhere by others.',
    action: 'Use arn:<partition>:kms:<region>:<account>:key/<id>.',
  },
  KMS_REQUEST_INVALID: {
    meaning: 'KMS, or the client before it, found the request malformed or out of range.',
    action: 'Check ciphertext, encryption context and lengths.',
  },
  KMS_ACCESS_DENIED: {
    meaning: 'KMS refused: the key policy does not allow these measurements, this role or this encryption context.',
    action: 'Compare the kms:RecipientAttestation conditions of the key policy with the measurements of this enclave.',
  },
  KMS_INVALID_CIPHERTEXT: {
    meaning:
      'KMS cannot open the ciphertext: it was changed, or the encryption context is not the one it was made with.',
    action: 'Use the ciphertext and encryption context of the same key ceremony.',
  },
  KMS_INCORRECT_KEY: { meaning: 'The ciphertext was made under another key than the pinned one.', action: KEY_STATE },
  KMS_WRONG_KEY: { meaning: 'KMS answered in the name of another key than the pinned one.', action: KEY_STATE },
  KMS_NOT_FOUND: { meaning: 'KMS does not know the pinned key.', action: KEY_STATE },
  KMS_KEY_UNUSABLE: { meaning: 'The key is disabled, pending deletion or of another kind.', action: KEY_STATE },
  KMS_CREDENTIALS_EXPIRED: {
    meaning: 'KMS does not accept the credentials (any more).',
    action: 'They are fetched anew; check the instance role if it lasts.',
  },
  KMS_CREDENTIALS_UNAVAILABLE: {
    meaning: 'There are no credentials to sign the request with.',
    action: 'Check the instance role and the route to the metadata service.',
  },
  KMS_SIGNATURE_REFUSED: {
    meaning: 'KMS does not accept the signature of the request: wrong secret key, region, or clock of the enclave.',
    action: 'Check kms.region, and the clock of the enclave against the time in the message.',
  },
  KMS_THROTTLED: { meaning: 'KMS limits the rate of requests.', action: 'It is tried again more slowly.' },
  KMS_UNAVAILABLE: { meaning: 'KMS cannot be reached, answers too late, or failed inside.', action: NETWORK },
  KMS_TLS_UNTRUSTED: {
    meaning: 'The certificate at the KMS endpoint does not verify: somebody may sit in between.',
    action: 'Check kms.endpoint and its CA file in the measured configuration.',
  },
  KMS_PLAINTEXT_RETURNED: {
    meaning: 'The answer carries the plaintext: what answered ignored the attestation document.',
    action: 'Use a KMS endpoint that supports Recipient; consider the key exposed to that endpoint.',
  },
  KMS_RECIPIENT_MISSING: {
    meaning: 'The answer lacks CiphertextForRecipient.',
    action: 'Use a KMS endpoint that supports Recipient.',
  },
  KMS_RESPONSE_INVALID: {
    meaning: 'The answer is malformed, lacks a field, or has a secret of another length than was asked for.',
    action: 'Check what answers at the KMS endpoint.',
  },
  KMS_RESPONSE_TOO_LARGE: {
    meaning: 'The answer is longer than any that KMS makes.',
    action: 'Check what answers at the KMS endpoint.',
  },
  KMS_SERVICE_ERROR: { meaning: 'KMS answered with an error that is not known here.', action: 'Look up its name.' },
  KMS_CLOSED: {
    meaning: 'The KMS client was used after it had been closed.',
    action: 'Report it: parts were stopped in the wrong order.',
  },
} as const satisfies ErrorCatalogue;

export type KmsErrorCode = keyof typeof KMS_ERRORS;

const RETRYABLE: ReadonlySet<KmsErrorCode> = new Set([
  'KMS_CREDENTIALS_EXPIRED',
  'KMS_CREDENTIALS_UNAVAILABLE',
  'KMS_THROTTLED',
  'KMS_UNAVAILABLE',
]);

export class KmsError extends CodedError<KmsErrorCode> {
  /** Whether the same call may succeed later without anybody changing anything. */
  readonly retryable: boolean;

  constructor(code: KmsErrorCode, message: string, details: ErrorDetails = {}) {
    super(code, message, details);
    this.retryable = RETRYABLE.has(code);
  }
}
