/**
 * Verifies the AWS Signature Version 4 of a request ("AWS SigV4 for API requests", IAM guide): the canonical request is
 * rebuilt from what arrived, so that a change to any signed header or to the body is noticed.
 */
import { timingSafeEqual } from 'node:crypto';
import type { Clock } from '../../runtime/clock.ts';
import type { Credential, CredentialStore } from '../credentials.ts';
import type { Principal } from '../principal.ts';
import { parseAmzDate, signatureOf } from '../signature-v4.ts';
import { ServiceError } from './service-error.ts';

/** AWS accepts request times up to five minutes off. */
const MAX_SKEW_MS = 5 * 60_000;
const AUTHORIZATION =
  /^AWS4-HMAC-SHA256 Credential=([A-Z0-9]{16,128})\/(\d{8})\/([a-z0-9-]+)\/([a-z0-9-]+)\/aws4_request, ?SignedHeaders=([a-z0-9;-]+), ?Signature=([0-9a-f]{64})$/;

export interface SignedRequest {
  readonly method: string;
  /** Path and query as they arrived. */
  readonly target: string;
  /** Lower-case names; all values of repeated headers. */
  readonly headers: ReadonlyMap<string, readonly string[]>;
  readonly body: Buffer;
}

interface SignatureVerifierOptions {
  readonly credentials: CredentialStore;
  readonly region: string;
  readonly service: string;
  readonly clock: Clock;
}

interface Authorization {
  readonly accessKeyId: string;
  readonly date: string;
  readonly region: string;
  readonly service: string;
  readonly signedHeaders: readonly string[];
  readonly signature: Buffer;
}

function singleHeader(request: SignedRequest, name: string): string | undefined {
  const values = request.headers.get(name);
  return values?.length === 1 ? values[0] : undefined;
}

function parseAuthorization(request: SignedRequest): Authorization {
  const text = singleHeader(request, 'authorization');
  if (text === undefined) {
    throw new ServiceError('MissingAuthenticationTokenException', 'The request is not signed');
  }
  const [, accessKeyId, date, region, service, signedHeaders, signature] = AUTHORIZATION.exec(text) ?? [];
  if (!accessKeyId || !date || !region || !service || !signedHeaders || !signature) {
    throw new ServiceError('IncompleteSignature', 'The Authorization header is not of the AWS4-HMAC-SHA256 form');
  }
  const headers = signedHeaders.split(';');
  return { accessKeyId, date, region, service, signedHeaders: headers, signature: Buffer.from(signature, 'hex') };
}

function invalidSignature(message: string): ServiceError {
  return new ServiceError('InvalidSignatureException', message);
}

function requireAmzDate(text: string): number {
  const timeMs = parseAmzDate(text);
  if (timeMs !== undefined) return timeMs;
  throw new ServiceError('IncompleteSignature', 'The X-Amz-Date header is missing or malformed');
}

/** The host and every x-amz-* header must be signed, else somebody on the way could change them. */
function checkSignedHeaders(request: SignedRequest, signed: readonly string[]): void {
  const required = ['host', ...[...request.headers.keys()].filter((name) => name.startsWith('x-amz-'))];
  const missing = required.filter((name) => !signed.includes(name));
  if (missing.length > 0) throw invalidSignature(`These headers must be signed: ${missing.join(', ')}`);
}

function expectedSignature(request: SignedRequest, auth: Authorization, amzDate: string, secret: string): Buffer {
  const { method, target, body } = request;
  const [path = '/', query = ''] = target.split('?', 2);
  const headers = auth.signedHeaders.map((name) => [name, request.headers.get(name) ?? []] as const);
  return signatureOf(
    { method, path, query: new Map(new URLSearchParams(query)), headers, body },
    auth,
    amzDate,
    secret,
  );
}

export class SignatureVerifier {
  readonly #options: SignatureVerifierOptions;

  constructor(options: SignatureVerifierOptions) {
    this.#options = options;
  }

  /**
   * @returns who signed. @throws ServiceError MissingAuthenticationTokenException, IncompleteSignature,
   * UnrecognizedClientException, InvalidSignatureException, ExpiredTokenException
   */
  async verify(request: SignedRequest): Promise<Principal> {
    const auth = parseAuthorization(request);
    const amzDate = singleHeader(request, 'x-amz-date') ?? '';
    const signedAtMs = requireAmzDate(amzDate);
    const credential = await this.#findCredential(request, auth);
    this.#checkScope(auth, amzDate);
    checkSignedHeaders(request, auth.signedHeaders);
    const expected = expectedSignature(request, auth, amzDate, credential.secretAccessKey);
    if (!timingSafeEqual(expected, auth.signature)) {
      throw invalidSignature('The signature does not match the request and the secret access key');
    }
    this.#checkTime(signedAtMs, amzDate, credential);
    return credential.principal;
  }

  async #findCredential(request: SignedRequest, auth: Authorization): Promise<Credential> {
    const credential = await this.#options.credentials.find(auth.accessKeyId);
    if (credential === undefined || singleHeader(request, 'x-amz-security-token') !== credential.sessionToken) {
      throw new ServiceError('UnrecognizedClientException', 'The access key or the session token is not known');
    }
    return credential;
  }

  #checkScope(auth: Authorization, amzDate: string): void {
    const { region, service } = this.#options;
    if (auth.region === region && auth.service === service && amzDate.startsWith(auth.date)) return;
    throw invalidSignature(`The credential must be scoped to the date of the request, ${region} and ${service}`);
  }

  #checkTime(signedAtMs: number, amzDate: string, credential: Credential): void {
    const nowMs = this.#options.clock.nowMs();
    if (Math.abs(nowMs - signedAtMs) > MAX_SKEW_MS) {
      const verdict = signedAtMs < nowMs ? 'Signature expired' : 'Signature not yet current';
      throw invalidSignature(`${verdict}: ${amzDate} is over 5 min. from ${new Date(nowMs).toISOString()}`);
    }
    if (credential.expiresAtMs !== undefined && credential.expiresAtMs <= nowMs) {
      throw new ServiceError('ExpiredTokenException', 'The security token included in the request is expired');
    }
  }
}
