/**
 * KMS as an enclave uses it: every request carries a fresh attestation document, every answer is encrypted to a key that
 * only this process holds, and a key is named by its full ARN on the way out and compared on the way back.
 * Retrying is the caller's: KmsError.retryable says whether it makes sense.
 * Specification: nitro-formats 3.7.
 */
import type { KMSClient } from '@aws-sdk/client-kms';
import { DecryptCommand, GenerateDataKeyCommand, GenerateRandomCommand } from '@aws-sdk/client-kms';
import type { NsmProvider } from '../attestation/nsm/provider.ts';
import type { SecretBuffer } from '../runtime/secret-buffer.ts';
import type { RecipientAnswer } from './answer.ts';
import {
  MAX_CIPHERTEXT_BYTES,
  openAnswer,
  refusePlaintext,
  requireCiphertext,
  requireKey,
  requireLength,
} from './answer.ts';
import { awsKmsClient } from './aws-client.ts';
import type { AwsCredentials, KmsConnection } from './connection.ts';
import { withDeadline } from './deadline.ts';
import { KmsError } from './errors.ts';
import { toKmsFailure } from './failure.ts';
import { requireKeyArn } from './key-arn.ts';
import type { RecipientKey } from './recipient.ts';
import { attestRecipient, makeRecipientKey } from './recipient.ts';
import { KmsTlsAgent } from './tls-agent.ts';

interface DecryptRequest {
  readonly ciphertext: Buffer;
  readonly keyArn: string;
  readonly encryptionContext: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

interface GenerateDataKeyRequest {
  readonly keyArn: string;
  readonly encryptionContext: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

interface GenerateRandomRequest {
  /** 1-1024. */
  readonly lengthBytes: number;
  readonly signal: AbortSignal;
}

interface DataKey {
  /** 32 bytes. */
  readonly plaintext: SecretBuffer;
  /** The same key under the KMS key; at most 6144 bytes. */
  readonly ciphertext: Buffer;
}

type Recipient = Awaited<ReturnType<typeof attestRecipient>>;

/** Limit of NumberOfBytes in the KMS API. */
const MAX_RANDOM_BYTES = 1024;
const DATA_KEY_BYTES = 32;

function requireRange(what: string, found: number, max: number): void {
  if (Number.isInteger(found) && found >= 1 && found <= max) return;
  throw new KmsError('KMS_REQUEST_INVALID', `${what} is out of range`, {
    found: String(found),
    allowed: `1 to ${max} bytes`,
  });
}

export class AttestedKms {
  readonly #connection: KmsConnection;
  readonly #nsm: NsmProvider;
  readonly #agent: KmsTlsAgent;
  readonly #closed = new AbortController();
  #key: Promise<RecipientKey> | undefined;

  /** @param key default: one is made for the first request. @throws KmsError KMS_ENDPOINT_INVALID, KMS_CA_INVALID */
  constructor(connection: KmsConnection, nsm: NsmProvider, key?: Promise<RecipientKey>) {
    this.#key = key;
    this.#connection = connection;
    this.#nsm = nsm;
    this.#agent = new KmsTlsAgent(connection);
  }

  /** @throws KmsError of every code; CmsError; NsmError; the reason of the signal when it aborts */
  async decrypt({ ciphertext, keyArn, encryptionContext, signal }: DecryptRequest): Promise<SecretBuffer> {
    requireKeyArn(keyArn);
    requireRange('ciphertext', ciphertext.length, MAX_CIPHERTEXT_BYTES);
    const input = { CiphertextBlob: ciphertext, KeyId: keyArn, EncryptionContext: encryptionContext };
    const { answer, key } = await this.#ask(signal, (client, recipient, abortSignal) =>
      client.send(new DecryptCommand({ ...input, Recipient: recipient }), { abortSignal }),
    );
    requireKey(answer, keyArn);
    return openAnswer(answer, key.privateKey);
  }

  /** An AES-256 key. Throws as decrypt does. */
  async generateDataKey({ keyArn, encryptionContext, signal }: GenerateDataKeyRequest): Promise<DataKey> {
    requireKeyArn(keyArn);
    const input = { KeyId: keyArn, KeySpec: 'AES_256', EncryptionContext: encryptionContext } as const;
    const { answer, key } = await this.#ask(signal, (client, recipient, abortSignal) =>
      client.send(new GenerateDataKeyCommand({ ...input, Recipient: recipient }), { abortSignal }),
    );
    requireKey(answer, keyArn);
    const ciphertext = requireCiphertext(answer.CiphertextBlob);
    return { plaintext: requireLength(openAnswer(answer, key.privateKey), DATA_KEY_BYTES), ciphertext };
  }

  /** Throws as decrypt does. */
  async generateRandom({ lengthBytes, signal }: GenerateRandomRequest): Promise<SecretBuffer> {
    requireRange('random length', lengthBytes, MAX_RANDOM_BYTES);
    const { answer, key } = await this.#ask(signal, (client, recipient, abortSignal) =>
      client.send(new GenerateRandomCommand({ NumberOfBytes: lengthBytes, Recipient: recipient }), { abortSignal }),
    );
    return requireLength(openAnswer(answer, key.privateKey), lengthBytes);
  }

  /** Idempotent. Ends requests under way with KMS_CLOSED, and their connections. */
  close(): void {
    this.#closed.abort(new KmsError('KMS_CLOSED', 'the KMS client is closed'));
    this.#agent.destroy();
    this.#key = undefined;
  }

  async #ask<Answer extends RecipientAnswer>(
    signal: AbortSignal,
    send: (client: KMSClient, recipient: Recipient, signal: AbortSignal) => Promise<Answer>,
  ): Promise<{ readonly answer: Answer; readonly key: RecipientKey }> {
    const either = AbortSignal.any([signal, this.#closed.signal]);
    try {
      return await withDeadline(either, this.#connection.requestTimeoutMs, async (abortSignal) => {
        this.#key ??= makeRecipientKey();
        const key = await this.#key;
        const client = awsKmsClient(this.#connection, await this.#credentials(), this.#agent);
        const answer = await send(client, await attestRecipient(this.#nsm, key), abortSignal);
        refusePlaintext(answer);
        return { answer, key };
      });
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      throw toKmsFailure(error, (candidate) => this.#agent.isUntrusted(candidate));
    }
  }

  async #credentials(): Promise<AwsCredentials> {
    try {
      return await this.#connection.credentials();
    } catch (cause) {
      throw new KmsError('KMS_CREDENTIALS_UNAVAILABLE', 'there are no AWS credentials', { cause });
    }
  }
}
