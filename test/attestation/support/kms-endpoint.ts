/**
 * Something that answers at the KMS endpoint, over real TLS, with whatever a test tells it. It hears what the client
 * sends; it knows nothing of policies, which the emulator's own tests cover.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Server, ServerOptions } from 'node:https';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { NsmProvider } from '../../../attestation/nsm/provider.ts';
import type { AwsCredentials, KmsConnection, KmsDialAddress } from '../../../kms/connection.ts';
import type { Issued } from './certificate.ts';
import { ca, caUsage, extension, issue, leafUsage, notCa, pemOf } from './certificate.ts';
import { hex, tlv } from './der.ts';

export const REGION = 'eu-north-1';
export const KEY_ARN = `arn:aws:kms:${REGION}:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab`;
const HOSTNAME = 'kms.test';
export const CREDENTIALS: AwsCredentials = {
  accessKeyId: 'AKIATEST',
  secretAccessKey: 'secret-access-key',
  sessionToken: 'session-token',
};

export interface HeardRequest {
  readonly headers: IncomingMessage['headers'];
  readonly body: Readonly<Record<string, unknown>>;
}

/** JSON, or raw bytes, or full control of the response. */
export type Answer =
  | { readonly status?: number; readonly json: unknown }
  | { readonly status?: number; readonly raw: string | Buffer }
  | ((response: ServerResponse, request: IncomingMessage) => void);

export interface Endpoint {
  readonly heard: readonly HeardRequest[];
  readonly connections: () => number;
  /** What the client needs to reach it. */
  readonly connection: KmsConnection;
}

export interface EndpointOptions extends Pick<ServerOptions, 'maxVersion' | 'minVersion'> {
  /** Name in the server's certificate. */
  readonly certificateName?: string;
  readonly notAfterMs?: number;
  /** Unix socket; a free port on loopback when absent. */
  readonly path?: string;
}

const VALIDITY = { notBeforeMs: Date.UTC(2020, 0, 1), notAfterMs: Date.UTC(2049, 0, 1) } as const;

export const authority: Issued = issue({ name: 'test CA', ...VALIDITY, extensions: [ca(), caUsage] });

function serverCertificate({ certificateName = HOSTNAME, notAfterMs = VALIDITY.notAfterMs }: EndpointOptions): Issued {
  const alternativeName = extension('551d11', false, tlv(0x30, tlv(0x82, Buffer.from(certificateName))));
  const serverAuth = extension('551d25', false, hex('300a06082b06010505070301'));
  const extensions = [notCa, leafUsage, alternativeName, serverAuth];
  return issue({ name: certificateName, ...VALIDITY, notAfterMs, extensions }, authority);
}

function reply(response: ServerResponse, request: IncomingMessage, answer: Answer): void {
  if (typeof answer === 'function') {
    answer(response, request);
    return;
  }
  response.writeHead(answer.status ?? 200, { 'content-type': 'application/x-amz-json-1.1' });
  response.end('json' in answer ? JSON.stringify(answer.json) : answer.raw);
}

async function readBody(request: IncomingMessage): Promise<HeardRequest['body']> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return JSON.parse(Buffer.concat(chunks).toString());
}

async function listen(server: Server, path: string | undefined): Promise<KmsDialAddress> {
  await new Promise<void>((resolve) => (path ? server.listen(path, resolve) : server.listen(0, '127.0.0.1', resolve)));
  return path ? { path } : { host: '127.0.0.1', port: (server.address() as AddressInfo).port };
}

/** Answers every request by `answer`; gone when the test ends. */
export async function kmsEndpoint(
  t: { teardown(fn: () => unknown): void },
  answer: (request: HeardRequest) => Answer,
  options: EndpointOptions = {},
): Promise<Endpoint> {
  const { certificateName: _, notAfterMs: __, path, ...tls } = options;
  const certificate = serverCertificate(options);
  const key = certificate.privateKey.export({ type: 'pkcs8', format: 'pem' });
  const heard: HeardRequest[] = [];
  let connections = 0;
  const server = createServer({ ...tls, key, cert: pemOf(certificate) }, async (request, response) => {
    const entry = { headers: request.headers, body: await readBody(request) };
    heard.push(entry);
    reply(response, request, answer(entry));
  });
  server.on('connection', () => {
    connections += 1;
  });
  const dial = await listen(server, path);
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  const connection: KmsConnection = {
    region: REGION,
    endpoint: new URL(`https://${HOSTNAME}`),
    caPem: pemOf(authority),
    dial,
    credentials: async () => CREDENTIALS,
    requestTimeoutMs: 10_000,
  };
  return { heard, connections: () => connections, connection };
}

/** A security module whose documents are a serial number and the public key that they vouch for. */
export function countingNsm(): NsmProvider & { readonly attested: () => number } {
  let attested = 0;
  const unused = () => Promise.reject(new Error('not part of this test'));
  return {
    attested: () => attested,
    attest: async ({ publicKey = Buffer.alloc(0) }) => {
      attested += 1;
      return Buffer.concat([Buffer.from([attested]), publicKey]);
    },
    describe: unused,
    describePcr: unused,
    extendPcr: unused,
    lockPcr: unused,
    lockPcrs: unused,
    random: unused,
    close: async () => undefined,
  };
}

interface Recipient {
  readonly AttestationDocument: string;
  readonly KeyEncryptionAlgorithm: string;
}

export function recipientOf({ body }: HeardRequest): Recipient {
  return body['Recipient'] as Recipient;
}

/** The public key that the document in the request vouches for. */
export function spkiIn(request: HeardRequest): Buffer {
  return Buffer.from(recipientOf(request).AttestationDocument, 'base64').subarray(1);
}
