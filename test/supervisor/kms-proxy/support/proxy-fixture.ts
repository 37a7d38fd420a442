/** A running KMS proxy before the emulated KMS, on a unix socket as of the relay route, and whatever else a test puts in the place of either. */
import type { Server, Socket } from 'node:net';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { KMSClient } from '@aws-sdk/client-kms';
import type { NsmProvider } from '../../../../attestation/nsm/provider.ts';
import type { KmsProxySection } from '../../../../config/app/kms-proxy.ts';
import { kmsProxySection } from '../../../../config/app/kms-proxy.ts';
import type { AwsCredentials } from '../../../../kms/connection.ts';
import type { Clock } from '../../../../runtime/clock.ts';
import { systemClock } from '../../../../runtime/clock.ts';
import { KmsProxy } from '../../../../supervisor/kms-proxy/kms-proxy.ts';
import { REGION, ROLE } from '../../../emulator/support/kms-fixture.ts';
import { MemoryLogger } from '../../../support/memory-logger.ts';
import { seededRandom } from '../../../support/seeded-random.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';

export { REGION, ROLE };

export interface Teardown {
  teardown(fn: () => unknown): void;
}

export type Dialled = { readonly host: string; readonly port: number } | { readonly path: string };

/** A relay route without the relay. */
async function pipeTo(t: Teardown, target: Dialled | undefined): Promise<string> {
  const path = join(temporaryFolder(t), 'kms.sock');
  if (target === undefined) return path;
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    const other = connect(target);
    for (const each of [socket, other]) {
      sockets.add(each);
      each.on('error', () => undefined);
    }
    socket.pipe(other).pipe(socket);
    socket.on('close', () => other.destroy());
    other.on('close', () => socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  t.teardown(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return path;
}

export interface ProxyOptions {
  readonly section: object;
  readonly caPem: string;
  readonly target: Dialled | undefined;
  readonly nsm: NsmProvider;
  readonly credentials?: () => Promise<AwsCredentials>;
  readonly clock?: Clock;
}

/** As enclave.yaml has it, on a free port. */
export function sectionOf(given: object): KmsProxySection {
  const section = kmsProxySection.parse(given);
  if (section === undefined) throw new Error('no section');
  return 'listen' in given ? section : { ...section, listen: { ...section.listen, port: 0 } };
}

export async function startProxy(t: Teardown, options: ProxyOptions) {
  const { caPem, target, nsm, clock = systemClock } = options;
  const logger = new MemoryLogger();
  const path = await pipeTo(t, target);
  let discarded = 0;
  const proxy = new KmsProxy({
    section: sectionOf(options.section),
    readMeasured: () => Buffer.from(caPem),
    socketPathOf: () => path,
    nsm,
    credentials: {
      credentials: options.credentials ?? (() => Promise.reject(new Error('no credentials'))),
      discard: () => {
        discarded += 1;
      },
    },
    clock,
    random: seededRandom('kms-proxy'),
    logger,
  });
  await proxy.start(new AbortController().signal);
  t.teardown(() => proxy.stop());
  const { host, port } = proxy.address;
  return { proxy, logger, host, port, url: `http://${host}:${port}`, discarded: () => discarded };
}

/** The SDK as programs in the enclave have it. */
export function programClient(t: Teardown, url: string, overrides: object = {}): KMSClient {
  const client = new KMSClient({
    region: REGION,
    endpoint: url,
    maxAttempts: 1,
    credentials: { accessKeyId: 'ENCLAVEKMSPROXY00000', secretAccessKey: 'means-nothing' },
    ...overrides,
  });
  t.teardown(() => client.destroy());
  return client;
}

const AUTHORIZATION = (region: string, service = 'kms') =>
  `AWS4-HMAC-SHA256 Credential=AKID/20260101/${region}/${service}/aws4_request, SignedHeaders=host;x-amz-date;x-amz-target, Signature=${'0'.repeat(64)}`;

export interface RawRequest {
  readonly action?: string;
  readonly body?: string | Buffer | object;
  readonly headers?: Readonly<Record<string, string>>;
  readonly method?: string;
  readonly path?: string;
  readonly region?: string;
  readonly service?: string;
}

export interface RawAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly json: Record<string, unknown>;
}

/** What an SDK would write, with any part changed. */
export async function ask(url: string, request: RawRequest): Promise<RawAnswer> {
  const { action = 'Decrypt', body = {}, region = REGION, service, method = 'POST', path = '/' } = request;
  const text = typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body);
  const answer = await fetch(`${url}${path}`, {
    method,
    headers: {
      'content-type': 'application/x-amz-json-1.1',
      'x-amz-target': `TrentService.${action}`,
      'x-amz-date': '20260101T000000Z',
      authorization: AUTHORIZATION(region, service),
      ...request.headers,
    },
    ...(method === 'POST' || method === 'PUT' ? { body: text } : {}),
  });
  const said = await answer.text();
  return { status: answer.status, headers: answer.headers, json: said === '' ? {} : JSON.parse(said) };
}
