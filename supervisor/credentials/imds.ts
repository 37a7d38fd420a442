/**
 * Role credentials from the instance metadata service, version 2 only, through the parent. The parent writes these
 * answers, so they are bounded, checked against their shape and given nothing but the role that KMS then judges.
 * Specification: EC2 User Guide, "Use the Instance Metadata Service" (token by PUT, then GET with the token).
 */
import { once } from 'node:events';
import { Agent, type IncomingMessage, request } from 'node:http';
import type { AwsCredentials } from '../../kms/connection.ts';
import type { ImdsAnswer, Reading } from '../../wire/imds-answers.ts';
import {
  IMDS_ROLE_PATH,
  IMDS_TOKEN_PATH,
  readImdsToken,
  readRoleCredentials,
  readRoleName,
} from '../../wire/imds-answers.ts';
import { SupervisorError } from '../errors.ts';

const HOST = '169.254.169.254';
const TOKEN_TTL_SECONDS = 300;
const MAX_ANSWER_BYTES = 16 * 1024;
/** Where nothing answers, AWS cannot say why; these are the reasons that there are. */
const SILENCE =
  'Check that host-proxy runs on the instance and `imds.connect` is 169.254.169.254:80. From a container the answer has a hop more: --http-put-response-hop-limit 2.';

export interface ImdsOptions {
  /** Unix socket of the relay route that leads to the metadata service. */
  readonly socketPath: string;
  readonly timeoutMs: number;
  /** Milliseconds since the epoch: what expired credentials are known by. */
  readonly nowMs: () => number;
}

/** What is asked one after the other, over one connection while it lasts. */
interface Service extends ImdsOptions {
  readonly agent: Agent;
}

function tooLong(): SupervisorError {
  return new SupervisorError('CREDENTIALS_UNAVAILABLE', 'the metadata service gives no end', {
    found: `more than ${MAX_ANSWER_BYTES} bytes`,
  });
}

/** @throws SupervisorError CREDENTIALS_UNAVAILABLE */
async function readBody(answer: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of answer as AsyncIterable<Buffer>) {
    length += part.length;
    if (length > MAX_ANSWER_BYTES) throw tooLong();
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}

async function ask(
  { agent, socketPath, timeoutMs }: Service,
  path: string,
  init: { method: 'GET' | 'PUT'; headers: Record<string, string> },
  stop: AbortSignal,
): Promise<ImdsAnswer> {
  const signal = AbortSignal.any([stop, AbortSignal.timeout(timeoutMs)]);
  const headers = { host: HOST, ...init.headers };
  const asked = request({ agent, socketPath, path, method: init.method, headers, signal });
  // What breaks while the answer is read is told by the answer; nobody may miss a listener for it here.
  asked.on('error', () => undefined);
  asked.end();
  const [answer] = (await once(asked, 'response')) as [IncomingMessage];
  return { status: answer.statusCode ?? 0, body: await readBody(answer) };
}

/** @throws SupervisorError CREDENTIALS_UNAVAILABLE */
function must<Value>(reading: Reading<Value>): Value {
  if ('value' in reading) return reading.value;
  const { problem, found, action } = reading.fault;
  throw new SupervisorError('CREDENTIALS_UNAVAILABLE', problem, { found, action });
}

async function fetchWith(service: Service, signal: AbortSignal): Promise<AwsCredentials> {
  const { nowMs } = service;
  const ttl = { 'x-aws-ec2-metadata-token-ttl-seconds': String(TOKEN_TTL_SECONDS) };
  const token = must(readImdsToken(await ask(service, IMDS_TOKEN_PATH, { method: 'PUT', headers: ttl }, signal)));
  const init = { method: 'GET', headers: { 'x-aws-ec2-metadata-token': token } } as const;
  const role = must(readRoleName(await ask(service, IMDS_ROLE_PATH, init, signal)));
  return must(readRoleCredentials(role, await ask(service, `${IMDS_ROLE_PATH}${role}`, init, signal), nowMs()));
}

/** @throws SupervisorError CREDENTIALS_UNAVAILABLE; the signal's reason when it aborts. */
export async function fetchRoleCredentials(options: ImdsOptions, signal: AbortSignal): Promise<AwsCredentials> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  try {
    return await fetchWith({ ...options, agent }, signal);
  } catch (cause) {
    signal.throwIfAborted();
    if (cause instanceof SupervisorError) throw cause;
    throw new SupervisorError('CREDENTIALS_UNAVAILABLE', 'the metadata service does not answer', {
      action: SILENCE,
      cause,
    });
  } finally {
    agent.destroy();
  }
}
