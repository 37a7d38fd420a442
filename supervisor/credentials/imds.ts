/**
 * Role credentials from the instance metadata service, version 2 only, through the parent. The parent writes these
 * answers, so they are bounded, checked against their shape and given nothing but the role that KMS then judges.
 * Specification: EC2 User Guide, "Use the Instance Metadata Service" (token by PUT, then GET with the token).
 */
import { Client } from 'undici';
import { z } from 'zod';
import type { AwsCredentials } from '../../kms/connection.ts';
import { SupervisorError } from '../errors.ts';

const TOKEN_TTL_SECONDS = 300;
const ROLE_PATH = '/latest/meta-data/iam/security-credentials/';
const MAX_ANSWER_BYTES = 16 * 1024;

const roleName = z.string().regex(/^[\w+=,.@-]{1,64}$/);
const roleCredentials = z.object({
  Code: z.literal('Success'),
  AccessKeyId: z.string().regex(/^\w{16,128}$/),
  SecretAccessKey: z.string().min(1).max(512),
  Token: z.string().min(1).max(8192),
  Expiration: z.iso.datetime(),
});

export interface ImdsOptions {
  /** Unix socket of the relay route that leads to the metadata service. */
  readonly socketPath: string;
  readonly timeoutMs: number;
}

async function ask(
  client: Client,
  path: string,
  init: { method: 'GET' | 'PUT'; headers: Record<string, string> },
  signal: AbortSignal,
) {
  const answer = await client.request({ path, ...init, signal });
  const text = await answer.body.text();
  if (answer.statusCode === 200) return text;
  throw new SupervisorError('CREDENTIALS_UNAVAILABLE', `the metadata service refused ${init.method} ${path}`, {
    found: `HTTP ${answer.statusCode}`,
    allowed: 'HTTP 200',
  });
}

function parseCredentials(text: string): AwsCredentials {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    json = undefined;
  }
  const result = roleCredentials.safeParse(json);
  if (!result.success) {
    throw new SupervisorError(
      'CREDENTIALS_UNAVAILABLE',
      'the metadata service answered with something that is no role credentials',
      {
        found: z.prettifyError(result.error),
      },
    );
  }
  const { AccessKeyId, SecretAccessKey, Token, Expiration } = result.data;
  return {
    accessKeyId: AccessKeyId,
    secretAccessKey: SecretAccessKey,
    sessionToken: Token,
    expiration: new Date(Expiration),
  };
}

async function fetchWith(client: Client, signal: AbortSignal): Promise<AwsCredentials> {
  const ttl = { 'x-aws-ec2-metadata-token-ttl-seconds': String(TOKEN_TTL_SECONDS) };
  const token = await ask(client, '/latest/api/token', { method: 'PUT', headers: ttl }, signal);
  const headers = { 'x-aws-ec2-metadata-token': token };
  const role = roleName.safeParse((await ask(client, ROLE_PATH, { method: 'GET', headers }, signal)).trim());
  if (!role.success) {
    throw new SupervisorError('CREDENTIALS_UNAVAILABLE', 'the instance has no role', {
      allowed: 'an instance profile whose role may call kms:Decrypt',
    });
  }
  return parseCredentials(await ask(client, `${ROLE_PATH}${role.data}`, { method: 'GET', headers }, signal));
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
    return await fetchWith(client, signal);
  } catch (cause) {
    signal.throwIfAborted();
    if (cause instanceof SupervisorError) throw cause;
    throw new SupervisorError('CREDENTIALS_UNAVAILABLE', 'the metadata service does not answer', { cause });
  } finally {
    await client.destroy();
  }
}
