/**
 * Role credentials from the instance metadata service, version 2 only, through the parent. The parent writes these
 * answers, so they are bounded, checked against their shape and given nothing but the role that KMS then judges.
 * Specification: EC2 User Guide, "Use the Instance Metadata Service" (token by PUT, then GET with the token).
 */
import { Client } from 'undici';
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

async function ask(
  client: Client,
  path: string,
  init: { method: 'GET' | 'PUT'; headers: Record<string, string> },
  signal: AbortSignal,
): Promise<ImdsAnswer> {
  const answer = await client.request({ path, ...init, signal });
  return { status: answer.statusCode, body: await answer.body.text() };
}

/** @throws SupervisorError CREDENTIALS_UNAVAILABLE */
function must<Value>(reading: Reading<Value>): Value {
  if ('value' in reading) return reading.value;
  const { problem, found, action } = reading.fault;
  throw new SupervisorError('CREDENTIALS_UNAVAILABLE', problem, { found, action });
}

async function fetchWith(client: Client, nowMs: () => number, signal: AbortSignal): Promise<AwsCredentials> {
  const ttl = { 'x-aws-ec2-metadata-token-ttl-seconds': String(TOKEN_TTL_SECONDS) };
  const token = must(readImdsToken(await ask(client, IMDS_TOKEN_PATH, { method: 'PUT', headers: ttl }, signal)));
  const init = { method: 'GET', headers: { 'x-aws-ec2-metadata-token': token } } as const;
  const role = must(readRoleName(await ask(client, IMDS_ROLE_PATH, init, signal)));
  return must(readRoleCredentials(role, await ask(client, `${IMDS_ROLE_PATH}${role}`, init, signal), nowMs()));
}

/** @throws SupervisorError CREDENTIALS_UNAVAILABLE; the signal's reason when it aborts. */
export async function fetchRoleCredentials(options: ImdsOptions, signal: AbortSignal): Promise<AwsCredentials> {
  const client = new Client('http://169.254.169.254', {
    socketPath: options.socketPath,
    connectTimeout: options.timeoutMs,
    headersTimeout: options.timeoutMs,
    bodyTimeout: options.timeoutMs,
    maxResponseSize: MAX_ANSWER_BYTES,
  });
  try {
    return await fetchWith(client, options.nowMs, signal);
  } catch (cause) {
    signal.throwIfAborted();
    if (cause instanceof SupervisorError) throw cause;
    throw new SupervisorError('CREDENTIALS_UNAVAILABLE', 'the metadata service does not answer', {
      action: SILENCE,
      cause,
    });
  } finally {
    await client.destroy();
  }
}
