/** KMS Encrypt on the operator's machine, with the operator's own credentials. Not part of any daemon. */
import { Agent } from 'node:https';
import type { KMSClientConfig } from '@aws-sdk/client-kms';
import { EncryptCommand, KMSClient } from '@aws-sdk/client-kms';
import { CliError } from './errors.ts';

export interface EncryptOptions {
  readonly region: string;
  readonly keyArn: string;
  readonly encryptionContext: Readonly<Record<string, string>>;
  readonly endpoint?: string;
  readonly caPem?: string;
  readonly signal?: AbortSignal;
  /** Default: the SDK's own chain (environment, profile, SSO, …). */
  readonly credentials?: {
    readonly accessKeyId: string;
    readonly secretAccessKey: string;
    readonly sessionToken?: string;
  };
}

/** @throws CliError CLI_KMS_REFUSED */
export async function kmsEncrypt(plaintext: Buffer, options: EncryptOptions): Promise<Buffer> {
  const { region, keyArn, encryptionContext, endpoint, caPem, credentials, signal } = options;
  const config: KMSClientConfig = {
    region,
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(credentials === undefined ? {} : { credentials }),
    ...(caPem === undefined ? {} : { requestHandler: { httpsAgent: new Agent({ ca: caPem }) } }),
  };
  const client = new KMSClient(config);
  try {
    const answer = await client.send(
      new EncryptCommand({ KeyId: keyArn, Plaintext: plaintext, EncryptionContext: { ...encryptionContext } }),
      signal === undefined ? {} : { abortSignal: signal },
    );
    if (answer.CiphertextBlob === undefined) {
      throw new CliError('CLI_KMS_REFUSED', 'the answer of KMS has no CiphertextBlob');
    }
    return Buffer.from(answer.CiphertextBlob);
  } catch (cause) {
    if (cause instanceof CliError) throw cause;
    throw new CliError('CLI_KMS_REFUSED', 'KMS did not encrypt the master key', { cause });
  } finally {
    client.destroy();
  }
}
