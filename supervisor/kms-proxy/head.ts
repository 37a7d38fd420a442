/**
 * The head of a request: which action of KMS, in which region. What signed it is not checked, since whoever reaches the proxy is the
 * application and the key is a dummy; the form is, so that what no SDK wrote (a URL that an application was talked into fetching, say)
 * gets nowhere.
 * Specification: AWS JSON 1.1 and RPC v2 CBOR (Smithy); AWS Signature Version 4, "Authorization header".
 */
import type { IncomingHttpHeaders } from 'node:http';
import { KmsProxyError } from './errors.ts';

export interface RawHead {
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  /** All values of each header, by its name in lower case. */
  readonly headers: NodeJS.Dict<string[]>;
}

export interface Head {
  readonly action: string;
  readonly region: string;
}

const TARGET = /^TrentService\.([A-Za-z]{1,64})$/;
const CONTENT_TYPE = /^application\/x-amz-json-1\.1(?:\s*;.*)?$/i;
/** SDKs differ in the spaces behind commas. */
const AUTHORIZATION =
  /^AWS4-HMAC-SHA256 +Credential=[^\s,/]{1,128}\/\d{8}\/([a-z0-9-]{1,64})\/([a-z0-9-]{1,64})\/aws4_request *, *SignedHeaders=[a-z0-9;-]+ *, *Signature=[0-9a-f]{64}$/;

function refuse(message: string, found?: string, allowed?: string): KmsProxyError {
  return new KmsProxyError('KMS_PROXY_HTTP', message, { ...(found && { found }), ...(allowed && { allowed }) });
}

function single(headers: RawHead['headers'], name: keyof IncomingHttpHeaders & string): string {
  const [value, ...others] = headers[name] ?? [];
  if (value === undefined) throw refuse(`the header ${name} is missing`);
  if (others.length > 0) throw refuse(`the header ${name} is there more than once`);
  return value;
}

/** Newer SDKs may speak it to services that offer it. KMS does not at the time of writing. */
export function isCbor({ headers }: RawHead): boolean {
  return headers['smithy-protocol'] !== undefined;
}

function refuseOtherProtocols(head: RawHead): void {
  const allowed = 'AWS JSON 1.1: POST / with X-Amz-Target';
  const refuseProtocol = (found: string) => {
    throw new KmsProxyError('KMS_PROXY_PROTOCOL', 'the KMS proxy does not speak this protocol', { found, allowed });
  };
  if (isCbor(head)) refuseProtocol('RPC v2');
  const [encoding] = head.headers['content-encoding'] ?? [];
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity') refuseProtocol('a compressed body');
  const [type = 'no content type'] = head.headers['content-type'] ?? [];
  if (head.method === 'POST' && !CONTENT_TYPE.test(type)) refuseProtocol(type.slice(0, 64));
}

function regionOf(headers: RawHead['headers'], regions: readonly string[]): string {
  const refuseSignature = (message: string, allowed: string) => {
    throw new KmsProxyError('KMS_PROXY_SIGNATURE', message, { allowed });
  };
  if (headers['authorization'] === undefined)
    refuseSignature('the request is not signed', 'AWS Signature Version 4 by headers');
  const [, region, service] = AUTHORIZATION.exec(single(headers, 'authorization')) ?? [];
  if (region === undefined) refuseSignature('the signature has another form', 'AWS4-HMAC-SHA256 by headers');
  if (service !== 'kms') refuseSignature('the request is signed for another service', 'kms');
  if (region !== undefined && regions.includes(region)) return region;
  throw new KmsProxyError('KMS_PROXY_REGION', 'the KMS proxy has no way to KMS of this region', {
    ...(region && { found: region }),
    allowed: regions.join(', '),
  });
}

/** @throws KmsProxyError KMS_PROXY_HTTP, KMS_PROXY_PROTOCOL, KMS_PROXY_SIGNATURE, KMS_PROXY_REGION */
export function readHead(head: RawHead, regions: readonly string[]): Head {
  const { method, target, headers } = head;
  if (target.includes('?')) throw refuse('a request with a query string is not taken', undefined, 'POST /');
  refuseOtherProtocols(head);
  if (method !== 'POST' || target !== '/') throw refuse('this is no request to KMS', undefined, 'POST /');
  const [, action] = TARGET.exec(single(headers, 'x-amz-target')) ?? [];
  if (action === undefined) throw refuse('the header x-amz-target names no action of KMS', undefined, 'TrentService.…');
  return { action, region: regionOf(headers, regions) };
}
