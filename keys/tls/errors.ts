/** Error codes of a TLS key that the enclave makes itself: its certificate, and the request for one. */
import type { ErrorCatalogue } from '../../runtime/errors.ts';
import { CodedError } from '../../runtime/errors.ts';

const SIGN = 'Have the request of this boot signed: `acra-enclave certificate sign`.';

export const TLS_KEY_ERRORS = {
  TLS_CERTIFICATE_NOT_WANTED: {
    meaning: 'The enclave takes no certificate: its key is sealed, or it makes its certificate itself.',
    action: 'Install none; or set `tls: {key: attested, certificate: operator-ca}` in enclave.yaml.',
  },
  TLS_CERTIFICATE_INVALID: {
    meaning: 'What should be the certificate of the enclave’s TLS key cannot be read, or is none that clients accept.',
    action: `See the message. ${SIGN}`,
  },
  TLS_CERTIFICATE_OTHER_KEY: {
    meaning: 'The certificate is for another key than the one of this boot; each boot makes a new key.',
    action: SIGN,
  },
  TLS_CERTIFICATE_OTHER_CA: {
    meaning: 'The certificate does not lead to the CA that the measured configuration names (`tls.ca`).',
    action:
      'Have it signed by that CA, and put the CAs between into the file, behind the certificate. Another CA is another image.',
  },
  TLS_CERTIFICATE_NOT_VALID: {
    meaning: 'The certificate has expired, or is not valid yet, by the enclave’s clock, which is the hypervisor’s.',
    action: `Check the clock of the CA. ${SIGN}`,
  },
  TLS_CERTIFICATE_OTHER_NAMES: {
    meaning: 'The certificate does not name all that the measured configuration names (`tls.names`).',
    action: 'Have it signed with the names of the request.',
  },
  TLS_REQUEST_INVALID: {
    meaning: 'A request for a certificate is not of the form that an enclave writes, or its signature does not verify.',
    action: 'Fetch it again from the parent instance: `GET /v1/certificate-request?nonce=…`.',
  },
  TLS_REQUEST_NOT_BOUND: {
    meaning: 'The attestation document names another TLS key than the request: nobody vouches for the key.',
    action: 'Sign nothing. Fetch the request again; if it persists, treat the parent instance as hostile.',
  },
  TLS_CA_UNUSABLE: {
    meaning: 'The CA cannot sign: its certificate or key cannot be read, they do not belong together, or it is no CA.',
    action: 'Name the certificate and the key of one CA, which may sign certificates of servers and is valid now.',
  },
} as const satisfies ErrorCatalogue;

export class TlsKeyError extends CodedError<keyof typeof TLS_KEY_ERRORS> {}
