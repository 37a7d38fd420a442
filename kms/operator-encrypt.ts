/**
 * KMS on the operator's machine, with the operator's own credentials: those of the environment, of a profile (`AWS_PROFILE`),
 * of a single sign-on session, of the instance. Part of no daemon, and of no image: a test sees to it.
 */
import { Agent } from 'node:https';
import { EncryptCommand, KMSClient } from '@aws-sdk/client-kms';
import { fromNodeProviderChain } from '@aws-sdk/credential-providers';
import { requireCiphertext } from './answer.ts';
import { KmsOperatorError } from './errors.ts';
import { reduceError } from './failure.ts';

export interface EncryptOptions {
  readonly region: string;
  readonly keyArn: string;
  readonly encryptionContext: Readonly<Record<string, string>>;
  readonly endpoint?: string;
  readonly caPem?: string;
  readonly signal?: AbortSignal;
  /** Default: what the chain of the SDK finds. */
  readonly credentials?: {
    readonly accessKeyId: string;
    readonly secretAccessKey: string;
    readonly sessionToken?: string;
  };
}

/** The caller destroys it. */
export function operatorClient(
  options: Pick<EncryptOptions, 'region' | 'endpoint' | 'caPem' | 'credentials'>,
): KMSClient {
  const { region, endpoint, caPem, credentials } = options;
  return new KMSClient({
    region,
    ...(endpoint === undefined ? {} : { endpoint }),
    credentials: credentials ?? fromNodeProviderChain({ clientConfig: { region } }),
    ...(caPem === undefined ? {} : { requestHandler: { httpsAgent: new Agent({ ca: caPem }) } }),
  });
}

/** @throws KmsOperatorError CLI_KMS_REFUSED */
export async function kmsEncrypt(plaintext: Buffer, options: EncryptOptions): Promise<Buffer> {
  const { keyArn, encryptionContext, signal } = options;
  const client = operatorClient(options);
  try {
    const answer = await client.send(
      new EncryptCommand({ KeyId: keyArn, Plaintext: plaintext, EncryptionContext: { ...encryptionContext } }),
      signal === undefined ? {} : { abortSignal: signal },
    );
    return requireCiphertext(answer.CiphertextBlob);
  } catch (cause) {
    const reduced = reduceError(cause);
    throw new KmsOperatorError('CLI_KMS_REFUSED', 'KMS did not encrypt the master key', {
      found: reduced.name,
      cause: reduced,
    });
  } finally {
    client.destroy();
  }
}
