/**
 * What every service of AWS computes to check a request's signature, by headers or by query ("AWS SigV4 for API requests", IAM guide). Of
 * the emulators’ own, so that whoever signs with the SDK's code is checked by other code.
 */
import { createHash, createHmac } from 'node:crypto';

export const ALGORITHM = 'AWS4-HMAC-SHA256';
const AMZ_DATE = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/;

export interface CanonicalRequest {
  readonly method: string;
  readonly path: string;
  readonly query: ReadonlyMap<string, string>;
  /** In the order in which they are signed; lower-case names. */
  readonly headers: readonly (readonly [name: string, values: readonly string[]])[];
  readonly body: Buffer;
}

export interface Scope {
  /** `20261121`. */
  readonly date: string;
  readonly region: string;
  readonly service: string;
}

function sha256Hex(data: string | Buffer): string {
  return createHash('sha256').update(data).digest('hex');
}

function hmac(key: string | Buffer, data: string): Buffer {
  return createHmac('sha256', key).update(data).digest();
}

/** `20261121T120000Z` in milliseconds; undefined for anything else. */
export function parseAmzDate(text: string): number | undefined {
  const [, year, month, day, hour, minute, second] = AMZ_DATE.exec(text) ?? [];
  const timeMs = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  return Number.isNaN(timeMs) ? undefined : timeMs;
}

/** Outer blanks gone, runs of blanks made one, repeated headers joined. */
function canonicalValue(values: readonly string[]): string {
  return values.map((value) => value.trim().replace(/ +/g, ' ')).join(',');
}

function canonicalQuery(query: ReadonlyMap<string, string>): string {
  const encode = (text: string) =>
    encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
  const pairs = [...query].map(([name, value]) => `${encode(name)}=${encode(value)}`);
  return pairs.sort().join('&');
}

function canonicalText({ method, path, query, headers, body }: CanonicalRequest): string {
  const lines = headers.map(([name, values]) => `${name}:${canonicalValue(values)}\n`);
  const names = headers.map(([name]) => name).join(';');
  return [method, path, canonicalQuery(query), lines.join(''), names, sha256Hex(body)].join('\n');
}

/** 32 bytes. @param amzDate the time that the request states */
export function signatureOf(request: CanonicalRequest, scope: Scope, amzDate: string, secret: string): Buffer {
  const { date, region, service } = scope;
  const signingKey = hmac(hmac(hmac(hmac(`AWS4${secret}`, date), region), service), 'aws4_request');
  const hashed = sha256Hex(canonicalText(request));
  return hmac(signingKey, [ALGORITHM, amzDate, `${date}/${region}/${service}/aws4_request`, hashed].join('\n'));
}
