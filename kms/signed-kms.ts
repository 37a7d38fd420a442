/**
 * KMS in its own words: one action and one JSON body go out, signed with the credentials of the moment, and whatever KMS answers comes
 * back as it is, bounded. For requests that the SDK's client did not write (supervisor/kms-proxy/). Of headers KMS gets those that the
 * protocol needs and no others.
 * Specification: AWS JSON 1.1 (Smithy); AWS Signature Version 4, signing by headers.
 */
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { SignatureV4 } from '@smithy/signature-v4';
import type { Clock } from '../runtime/clock.ts';
import { errorCode } from '../runtime/errors.ts';
import type { AwsCredentials, KmsConnection } from './connection.ts';
import { toKmsFailure } from './failure.ts';
import { collectAnswer } from './response-limit.ts';
import { Sha256 } from './sha256.ts';
import { KmsTlsAgent } from './tls-agent.ts';

export interface SignedCall {
  /** `Decrypt` and so on. */
  readonly action: string;
  /** JSON. The caller's to zero. */
  readonly body: Buffer;
  readonly credentials: AwsCredentials;
  readonly signal: AbortSignal;
}

export interface SignedAnswer {
  readonly status: number;
  readonly requestId: string | undefined;
  /** Of any form; at most as long as answers of KMS are. */
  readonly body: Buffer;
}

const CONTENT_TYPE = 'application/x-amz-json-1.1';
const TARGET_PREFIX = 'TrentService.';
/** The private route to KMS takes 16 at once; the supervisor's own questions need some. */
const MAX_SOCKETS = 12;
/** Below what AWS closes idle connections after. */
const IDLE_MS = 20_000;

function singleHeader(value: string | string[] | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

export class SignedKms {
  readonly #endpoint: URL;
  readonly #region: string;
  readonly #clock: Clock;
  readonly #agent: KmsTlsAgent;

  /** @throws KmsError KMS_ENDPOINT_INVALID, KMS_CA_INVALID */
  constructor(connection: Pick<KmsConnection, 'region' | 'endpoint' | 'caPem' | 'dial'>, clock: Clock) {
    this.#endpoint = connection.endpoint;
    this.#region = connection.region;
    this.#clock = clock;
    this.#agent = new KmsTlsAgent(connection, { maxSockets: MAX_SOCKETS, idleMs: IDLE_MS });
  }

  /** @throws KmsError KMS_UNAVAILABLE, KMS_TLS_UNTRUSTED, KMS_RESPONSE_TOO_LARGE; the signal's reason when it aborts */
  async send(call: SignedCall): Promise<SignedAnswer> {
    const headers = await this.#sign(call);
    try {
      for (;;) {
        const answer = await this.#exchange(headers, call);
        if (answer !== 'stale') return answer;
      }
    } catch (error) {
      call.signal.throwIfAborted();
      throw toKmsFailure(error, (candidate) => this.#agent.isUntrusted(candidate));
    }
  }

  /** Idempotent. Ends every connection. */
  close(): void {
    this.#agent.destroy();
  }

  async #sign({ action, body, credentials }: SignedCall): Promise<Record<string, string>> {
    const { accessKeyId, secretAccessKey, sessionToken } = credentials;
    const signer = new SignatureV4({
      region: this.#region,
      service: 'kms',
      sha256: Sha256,
      applyChecksum: false,
      credentials: { accessKeyId, secretAccessKey, ...(sessionToken !== undefined && { sessionToken }) },
    });
    const { host, hostname, port, protocol } = this.#endpoint;
    const unsigned = {
      method: 'POST',
      protocol,
      hostname,
      ...(port !== '' && { port: Number(port) }),
      path: '/',
      query: {},
      headers: { host, 'content-type': CONTENT_TYPE, 'x-amz-target': `${TARGET_PREFIX}${action}` },
      body,
    };
    const { headers } = await signer.sign(unsigned, { signingDate: new Date(this.#clock.nowMs()) });
    return headers;
  }

  /**
   * `stale`: KMS closed a connection that was kept, most often while the request was on its way. Each time one less is kept, and a new
   * one is never stale; nor does any action that this serves do harm when it is asked for twice.
   */
  #exchange(headers: Record<string, string>, { body, signal }: SignedCall): Promise<SignedAnswer | 'stale'> {
    const { hostname, port } = this.#endpoint;
    return new Promise((resolve, reject) => {
      const sent = request({
        agent: this.#agent,
        hostname,
        port: port === '' ? 443 : Number(port),
        method: 'POST',
        path: '/',
        headers: { ...headers, 'content-length': body.length },
        setDefaultHeaders: false,
        signal,
      });
      sent.once('response', (response) => readAnswer(response).then(resolve, reject));
      sent.once('error', (error) => {
        const isClosed = ['ECONNRESET', 'EPIPE'].includes(errorCode(error) ?? '');
        if (isClosed && sent.reusedSocket && !signal.aborted) resolve('stale');
        else reject(error);
      });
      sent.end(body);
    });
  }
}

async function readAnswer(response: IncomingMessage): Promise<SignedAnswer> {
  return {
    status: response.statusCode ?? 0,
    requestId: singleHeader(response.headers['x-amzn-requestid']),
    body: await collectAnswer(response),
  };
}
