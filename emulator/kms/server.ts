/** Starts the emulated KMS: AWS JSON 1.1 over TLS on the loopback interface, its state in one folder. */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import { join } from 'node:path';
import { partitionOf } from '../../config/aws-names.ts';
import type { Policy } from '../../kms/policy/language/document.ts';
import type { Clock } from '../../runtime/clock.ts';
import { systemClock } from '../../runtime/clock.ts';
import type { Logger } from '../../runtime/log.ts';
import { silentLogger } from '../../runtime/log.ts';
import type { Random } from '../../runtime/random.ts';
import { systemRandom } from '../../runtime/random.ts';
import type { CredentialStore } from '../credentials.ts';
import { closeServer, listenOnLoopback, readBody } from '../loopback-http.ts';
import { loadOrCreateAuthority } from '../pki/authority.ts';
import type { AuditEntry } from './audit.ts';
import { AuditTrail } from './audit.ts';
import { Faults } from './faults.ts';
import { KeyStore } from './key-store.ts';
import type { NsmTrust } from './nsm-trust.ts';
import { acceptRolePolicy } from './policies.ts';
import { KmsService } from './service.ts';
import { ServiceError } from './service-error.ts';
import { SignatureVerifier } from './signature.ts';

const MAX_BODY_BYTES = 64 * 1024;
const DEFAULT_REQUEST_TIMEOUT_MS = 30_000;

interface KmsOptions {
  /** Keys, audit trail and the certificate authority live here. */
  readonly folder: string;
  readonly region: string;
  /** Whose attestation documents are believed. */
  readonly nsmTrust: NsmTrust;
  readonly credentials: CredentialStore;
  /** Judges signatures, tokens and documents. TLS certificates follow the system's clock, as their verifiers do. */
  readonly clock: Clock;
  readonly random?: Random;
  readonly logger?: Logger;
  /** Default 0: any free one. */
  readonly port?: number;
  /** A request must have arrived whole by then. Default 30 s. */
  readonly requestTimeoutMs?: number;
}

export interface RunningKms {
  /** `https://127.0.0.1:<port>`. The certificate also names localhost and the host of KMS in that region. */
  readonly url: string;
  readonly caPem: string;
  readonly host: string;
  readonly port: number;
  readonly faults: Faults;
  /** Attaches an IAM policy to a role, in the place of the last one; kept for this run. @throws ServiceError */
  putRolePolicy(roleArn: string, policyText: string): void;
  /** May create keys, and whatever key policies allow the account. */
  readonly adminCredentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  /** What happened in this run, oldest first. */
  audit(): readonly AuditEntry[];
  stop(): Promise<void>;
}

function headersOf(request: IncomingMessage): Map<string, readonly string[]> {
  return new Map(Object.entries(request.headersDistinct).map(([name, values]) => [name, values ?? []]));
}

interface Reply {
  readonly status: number;
  readonly body: string;
  readonly requestId: string;
}

function send(response: ServerResponse, clock: Clock, { status, body, requestId }: Reply): void {
  response.sendDate = false;
  response.writeHead(status, {
    'Content-Type': 'application/x-amz-json-1.1',
    'Content-Length': Buffer.byteLength(body),
    Date: new Date(clock.nowMs()).toUTCString(),
    'x-amzn-RequestId': requestId,
    ...(status === 413 ? { Connection: 'close' } : {}),
  });
  response.end(body);
}

async function serve(service: KmsService, clock: Clock, request: IncomingMessage, response: ServerResponse) {
  const body = await readBody(request, MAX_BODY_BYTES);
  if (body === 'aborted') return;
  if (body === 'too-large') {
    const error = new ServiceError('RequestEntityTooLargeException', `The body is over ${MAX_BODY_BYTES} bytes`);
    send(response, clock, { status: error.status, body: error.toBody(), requestId: randomUUID() });
    return;
  }
  const { method = '', url: target = '' } = request;
  const outcome = await service.handle({ method, target, headers: headersOf(request), body });
  if (outcome === 'close') request.socket.destroy();
  else if (outcome !== 'hang') send(response, clock, outcome);
}

function createTlsServer(options: KmsOptions, identity: { certificatePem: string; privateKeyPem: string }): Server {
  const requestTimeout = options.requestTimeoutMs ?? DEFAULT_REQUEST_TIMEOUT_MS;
  return createServer({
    cert: identity.certificatePem,
    key: identity.privateKeyPem,
    minVersion: 'TLSv1.2',
    handshakeTimeout: requestTimeout,
    requestTimeout,
    headersTimeout: requestTimeout,
    connectionsCheckingInterval: Math.min(requestTimeout, 1000),
  });
}

/** @throws EmulatorError EMULATOR_STATE, EMULATOR_LISTEN */
export async function startKms(options: KmsOptions): Promise<RunningKms> {
  const { folder, region, clock, credentials, random = systemRandom, logger = silentLogger } = options;
  const authority = await loadOrCreateAuthority(folder, { commonName: 'Emulated KMS', clock: systemClock });
  const keys = await KeyStore.open({ folder: join(folder, 'keys'), region, clock, random });
  const { accessKeyId, secretAccessKey } = await credentials.administrator();
  const audit = await AuditTrail.open(join(folder, 'audit.jsonl'));
  const faults = new Faults();
  const rolePolicies = new Map<string, Policy>();
  const service = new KmsService({
    dependencies: { keys, nsmTrust: options.nsmTrust, clock, random, rolePolicies },
    verifier: new SignatureVerifier({ credentials, region, service: 'kms', clock }),
    faults,
    audit,
    logger,
  });
  const names = [`kms.${region}.${partitionOf(region).dnsSuffix}`, 'localhost', '127.0.0.1'];
  const identity = await authority.issue({
    commonName: names[0] ?? 'localhost',
    subjectAltNames: names,
    kind: 'server',
  });
  const server = createTlsServer(options, identity);
  server.on('request', (request, response) => {
    serve(service, clock, request, response).catch(() => request.socket.destroy());
  });
  const stop = async () => {
    await closeServer(server);
    await audit.close();
  };
  try {
    const { host, port } = await listenOnLoopback(server, options.port ?? 0);
    const url = `https://${host}:${port}`;
    return {
      url,
      caPem: authority.certificatePem,
      host,
      port,
      faults,
      putRolePolicy: (roleArn, text) => rolePolicies.set(roleArn, acceptRolePolicy(text)),
      adminCredentials: { accessKeyId, secretAccessKey },
      audit: () => audit.entries(),
      stop,
    };
  } catch (error) {
    await audit.close();
    throw error;
  }
}
