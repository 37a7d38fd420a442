/**
 * Starts the emulated instance metadata service, version 2 only (EC2 user guide, "Instance metadata"): a PUT gives a
 * token, every GET needs one. Plain HTTP on the loopback interface, where the real one has a link-local address.
 */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { Clock } from '../../runtime/clock.ts';
import type { Random } from '../../runtime/random.ts';
import { systemRandom } from '../../runtime/random.ts';
import type { CredentialStore, TemporaryCredential } from '../credentials.ts';
import { closeServer, listenOnLoopback, readBody } from '../loopback-http.ts';
import { rolePrincipal } from '../principal.ts';
import { identityDocument, loadOrCreateInstanceId } from './identity.ts';
import { RoleCredentials } from './role-credentials.ts';
import { MAX_TOKEN_TTL_SECONDS, SessionTokens } from './tokens.ts';

const TOKEN_PATH = '/latest/api/token';
const CREDENTIALS_PATH = '/latest/meta-data/iam/security-credentials/';
const TTL_HEADER = 'x-aws-ec2-metadata-token-ttl-seconds';
const TOKEN_HEADER = 'x-aws-ec2-metadata-token';
const DEFAULT_REGION = 'us-east-1';
const REQUEST_TIMEOUT_MS = 10_000;
const MAX_BODY_BYTES = 1024;
/** EC2 renews role credentials some minutes before they expire; short-lived ones are renewed at half their time. */
const MAX_RENEW_BEFORE_MS = 15 * 60_000;

export interface ImdsOptions {
  /** The instance's identity lives here. */
  readonly folder: string;
  /** Name of the IAM role of the instance. */
  readonly role: string;
  readonly credentials: CredentialStore;
  readonly clock: Clock;
  /** Of the role's credentials. */
  readonly lifetimeMs: number;
  /** Default: half the lifetime, at most 15 minutes. */
  readonly renewBeforeMs?: number;
  /** Default us-east-1. */
  readonly region?: string;
  readonly random?: Random;
  /** Default 0: any free one. */
  readonly port?: number;
}

export interface RunningImds {
  /** `http://127.0.0.1:<port>`, for AWS_EC2_METADATA_SERVICE_ENDPOINT. */
  readonly url: string;
  readonly host: string;
  readonly port: number;
  readonly instanceId: string;
  /** Issues new role credentials; the old ones stay valid until they expire. */
  rotate(): Promise<void>;
  stop(): Promise<void>;
}

interface Reply {
  readonly status: number;
  readonly type: 'text/plain' | 'application/json';
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

type Resources = ReadonlyMap<string, () => Promise<Reply>>;

const REASONS = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  500: 'Internal Server Error',
} as const;

function refusal(status: keyof typeof REASONS): Reply {
  return { status, type: 'text/plain', body: `${status} - ${REASONS[status]}` };
}

function text(body: string): Reply {
  return { status: 200, type: 'text/plain', body };
}

function json(body: object): Reply {
  return { status: 200, type: 'application/json', body: JSON.stringify(body, null, 2) };
}

/** The form of EC2's answer, time stamps in whole seconds. */
function credentialsDocument(credential: TemporaryCredential): object {
  const time = (ms: number) => `${new Date(ms).toISOString().slice(0, 19)}Z`;
  return {
    Code: 'Success',
    LastUpdated: time(credential.issuedAtMs),
    Type: 'AWS-HMAC',
    AccessKeyId: credential.accessKeyId,
    SecretAccessKey: credential.secretAccessKey,
    Token: credential.sessionToken,
    Expiration: time(credential.expiresAtMs),
  };
}

function header(request: IncomingMessage, name: string): string | undefined {
  const values = request.headersDistinct[name];
  return values?.length === 1 ? values[0] : undefined;
}

/** A request that came through a proxy is refused: a forwarded token would open IMDS to the proxy's callers. */
function issueToken(request: IncomingMessage, tokens: SessionTokens): Reply {
  if (request.headers['x-forwarded-for'] !== undefined) return refusal(403);
  const asked = header(request, TTL_HEADER) ?? '';
  const ttlSeconds = /^\d{1,5}$/.test(asked) ? Number(asked) : 0;
  if (ttlSeconds < 1 || ttlSeconds > MAX_TOKEN_TTL_SECONDS) return refusal(400);
  return { ...text(tokens.issue(ttlSeconds)), headers: { [TTL_HEADER]: String(ttlSeconds) } };
}

async function answer(request: IncomingMessage, tokens: SessionTokens, resources: Resources): Promise<Reply> {
  const { method, url = '' } = request;
  if (url === TOKEN_PATH) return method === 'PUT' ? issueToken(request, tokens) : refusal(405);
  if (method !== 'GET') return refusal(405);
  const token = header(request, TOKEN_HEADER);
  if (token === undefined || !tokens.isValid(token)) return refusal(401);
  return (await resources.get(url)?.()) ?? refusal(404);
}

function send(response: ServerResponse, { status, type, body, headers }: Reply): void {
  response.writeHead(status, { 'Content-Type': type, 'Content-Length': Buffer.byteLength(body), ...headers });
  response.end(body);
}

function createImdsServer(tokens: SessionTokens, resources: Resources): Server {
  const timeouts = { requestTimeout: REQUEST_TIMEOUT_MS, headersTimeout: REQUEST_TIMEOUT_MS };
  return createServer(timeouts, async (request, response) => {
    const body = await readBody(request, MAX_BODY_BYTES);
    if (body === 'aborted') return;
    send(
      response,
      body === 'too-large' ? refusal(400) : await answer(request, tokens, resources).catch(() => refusal(500)),
    );
  });
}

/** @throws EmulatorError EMULATOR_STATE, EMULATOR_LISTEN */
export async function startImds(options: ImdsOptions): Promise<RunningImds> {
  const { folder, role, credentials, clock, lifetimeMs, region = DEFAULT_REGION, random = systemRandom } = options;
  const instanceId = await loadOrCreateInstanceId(folder, random);
  const renewBeforeMs = options.renewBeforeMs ?? Math.min(lifetimeMs / 2, MAX_RENEW_BEFORE_MS);
  const principal = rolePrincipal(role, instanceId);
  const roleCredentials = new RoleCredentials({ principal, credentials, clock, lifetimeMs, renewBeforeMs });
  const identity = identityDocument(instanceId, region, new Date(clock.nowMs()));
  const resources: Resources = new Map([
    [CREDENTIALS_PATH, async () => text(role)],
    [CREDENTIALS_PATH + role, async () => json(credentialsDocument(await roleCredentials.current()))],
    ['/latest/dynamic/instance-identity/document', async () => json(identity)],
    ['/latest/meta-data/placement/region', async () => text(region)],
    ['/latest/meta-data/instance-id', async () => text(instanceId)],
  ]);
  const server = createImdsServer(new SessionTokens(clock, random), resources);
  const { host, port } = await listenOnLoopback(server, options.port ?? 0);
  return {
    url: `http://${host}:${port}`,
    host,
    port,
    instanceId,
    rotate: async () => {
      await roleCredentials.rotate();
    },
    stop: () => closeServer(server),
  };
}
