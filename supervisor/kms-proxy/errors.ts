/** Error codes of the KMS proxy: what it refuses programs of the enclave, and why. Each reaches the program as an answer in the form of KMS (answers.ts). */
import type { ErrorCatalogue } from '../../runtime/errors.ts';
import { CodedError } from '../../runtime/errors.ts';

const LIST =
  'Name key and action in `kmsProxy.allow` of enclave.yaml and build the image again, or correct the program.';

export const KMS_PROXY_ERRORS = {
  KMS_PROXY_LISTEN: {
    meaning: 'The KMS proxy cannot listen where `kmsProxy.listen` says.',
    action: 'Give it an address of the loopback interface that nothing else in the enclave uses.',
  },
  KMS_PROXY_HTTP: {
    meaning: 'What came to the KMS proxy is no request to KMS: another method, path or header, or no HTTP at all.',
    action:
      'Let an AWS SDK write the request (docs/kms-proxy.md); requests that are signed by a query string are not taken.',
  },
  KMS_PROXY_PROTOCOL: {
    meaning: 'The request is in another protocol than AWS JSON 1.1, or compressed.',
    action:
      'Use a release of the SDK that docs/kms-proxy.md names, or its setting for AWS JSON; switch request compression off.',
  },
  KMS_PROXY_SIGNATURE: {
    meaning:
      'The request has no signature in the form of AWS Signature Version 4, or one for another service than KMS.',
    action:
      'Leave AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY as the enclave sets them: the SDK must sign with something.',
  },
  KMS_PROXY_REGION: {
    meaning: 'The request is for a region that `kmsProxy.regions` does not name.',
    action: 'Leave AWS_REGION as the enclave sets it, or name the region in enclave.yaml.',
  },
  KMS_PROXY_ACTION: { meaning: 'No rule of `kmsProxy` allows this action in this region.', action: LIST },
  KMS_PROXY_KEY: {
    meaning: 'No rule of `kmsProxy.allow` allows this action with the key of the request.',
    action: LIST,
  },
  KMS_PROXY_ALIAS: {
    meaning: 'The request names its key by an alias, which can be pointed at another key at any time.',
    action: 'Use the ARN of the key, as `kmsProxy.allow` of enclave.yaml has it.',
  },
  KMS_PROXY_KEY_UNNAMED: {
    meaning: 'The request names no key, and `kmsProxy.allow` has not exactly one that it could mean.',
    action: 'Give KeyId (ReEncrypt: SourceKeyId and DestinationKeyId) with the ARN of the key.',
  },
  KMS_PROXY_REQUEST: {
    meaning:
      'The body of the request is not what this action takes: no JSON, a member twice, an unknown one, or one of another kind.',
    action: 'Let an AWS SDK write the request; members newer than this release are not known.',
  },
  KMS_PROXY_RECIPIENT: {
    meaning: 'The program gave a Recipient of its own; attesting is the proxy’s.',
    action: 'Leave Recipient out: the answer has the plaintext.',
  },
  KMS_PROXY_TOO_LARGE: {
    meaning: 'The request is longer than allowed.',
    action: 'Raise `kmsProxy.maxBodyBytes`; KMS itself takes 4096 bytes of plaintext and 6144 of ciphertext.',
  },
  KMS_PROXY_LATE: {
    meaning: 'The request did not arrive whole in `kmsProxy.requestTimeoutMs`.',
    action: 'Send head and body at once.',
  },
  KMS_PROXY_BUSY: {
    meaning: 'There are `kmsProxy.maxConnections` connections or requests at once.',
    action: 'Let the SDK try again (it does by itself), reuse its client, or raise the limit.',
  },
  KMS_PROXY_CREDENTIALS_REFUSED: {
    meaning: 'KMS does not accept the enclave’s own credentials, or its signature, twice in a row.',
    action: 'Check the instance’s role, what the metadata service gives out, and the clock of the enclave.',
  },
} as const satisfies ErrorCatalogue;

export type KmsProxyErrorCode = keyof typeof KMS_PROXY_ERRORS;

export class KmsProxyError extends CodedError<KmsProxyErrorCode> {}
