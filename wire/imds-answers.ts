/**
 * What the instance metadata service answers on the way to a role's credentials, for the enclave, which asks through the
 * parent, and for the doctor, which asks on it. Each refusal is told apart, with the words of AWS where it gives any, and with
 * what to do. The parent may write these answers, so all that is quoted from them is bounded and harmless, and of a document
 * only Code and Message: the rest may be a secret.
 * Specification: EC2 User Guide, "Use IMDSv2" (status codes), "Retrieve security credentials from instance metadata",
 * "Troubleshoot IAM roles" (Code other than Success).
 */
import { z } from 'zod';
import { quoteStranger } from '../runtime/harmless-text.ts';

export interface ImdsAnswer {
  readonly status: number;
  readonly body: string;
}

/** Why there are no credentials. */
export interface ImdsFault {
  readonly problem: string;
  /** What came, in AWS's words where there are any. */
  readonly found: string;
  readonly action: string;
}

export interface RoleCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
  readonly expiration: Date;
}

export type Reading<Value> = { readonly value: Value } | { readonly fault: ImdsFault };

export const IMDS_TOKEN_PATH = '/latest/api/token';
/** Lists the role; its credentials are one level below. */
export const IMDS_ROLE_PATH = '/latest/meta-data/iam/security-credentials/';

const MAX_CODE_LENGTH = 64;
const MAX_MESSAGE_LENGTH = 300;
/** A header can carry it. */
const TOKEN = /^[\x21-\x7e]{1,1024}$/;
const ROLE_NAME = /^[\w+=,.@-]{1,64}$/;

const OPTIONS = '`aws ec2 modify-instance-metadata-options --instance-id INSTANCE';
const ADVICE = {
  enable: `Switch it on: ${OPTIONS} --http-endpoint enabled\`. It also refuses requests that a proxy forwarded (X-Forwarded-For).`,
  token: `Ask again; if it lasts, check that \`imds.connect\` is this instance's own metadata service, and its options: ${OPTIONS} --http-tokens required\`.`,
  attach:
    'Attach an instance profile whose role may call kms:Decrypt on the key: `aws ec2 associate-iam-instance-profile`.',
  role: 'Look at the role of the instance profile: that it exists, and that its trust policy lets ec2.amazonaws.com assume it.',
  service: 'It is a fault of the service, or of what stands at `imds.connect`; it passes, or look there.',
  expired:
    'AWS renews them five minutes ahead. Check the clock, and that the role was not deleted or made anew: a new profile association renews them.',
  foreign: 'What answers at `imds.connect` is not the instance metadata service.',
} as const;

const roleDocument = z.object({
  AccessKeyId: z.string().regex(/^\w{16,128}$/),
  SecretAccessKey: z.string().min(1).max(512),
  Token: z.string().min(1).max(8192),
  Expiration: z.iso.datetime(),
});

const failed = (problem: string, found: string, action: string) => ({ fault: { problem, found, action } });

/** What AWS says of itself in a JSON answer: `Code: Message`. */
function wordsOf(body: string): { readonly code: string | undefined; readonly words: string } | undefined {
  const json = parseObject(body);
  if (json === undefined) return undefined;
  const code = textOf(json, ['Code', 'code'], MAX_CODE_LENGTH);
  const message = textOf(json, ['Message', 'message'], MAX_MESSAGE_LENGTH);
  if (code === undefined && message === undefined) return undefined;
  return { code, words: [code, message].filter((part) => part !== undefined).join(': ') };
}

function parseObject(body: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const json: unknown = JSON.parse(body);
    return typeof json === 'object' && json !== null && !Array.isArray(json) ? { ...json } : undefined;
  } catch {
    return undefined;
  }
}

function textOf(json: Readonly<Record<string, unknown>>, names: readonly string[], max: number): string | undefined {
  const value = names.map((name) => json[name]).find((candidate) => candidate !== undefined);
  return typeof value === 'string' && value.trim() !== '' ? quoteStranger(value, max) : undefined;
}

const isServiceStatus = (status: number) => status >= 500 || status === 429;
/** Codes of AWS ("Common Error Types") that are about its services and not about the role. */
const SERVICE_CODES: ReadonlySet<string> = new Set([
  'InternalError',
  'InternalFailure',
  'InternalServerError',
  'RequestLimitExceeded',
  'ServiceUnavailable',
  'Throttling',
  'ThrottlingException',
]);

/** Refusals that may meet any request. */
function refusal(what: string, { status, body }: ImdsAnswer): ImdsFault | undefined {
  if (status === 200) return undefined;
  const words = wordsOf(body)?.words;
  const found = words === undefined ? `HTTP ${status}` : `HTTP ${status}, ${words}`;
  if (status === 401)
    return { problem: `the metadata service refuses the token for ${what}`, found, action: ADVICE.token };
  if (status === 403)
    return { problem: `the metadata service is switched off for ${what}`, found, action: ADVICE.enable };
  const action = isServiceStatus(status) ? ADVICE.service : ADVICE.foreign;
  return { problem: `the metadata service refuses ${what}`, found, action };
}

export function readImdsToken(answer: ImdsAnswer): Reading<string> {
  const fault = refusal('a session token', answer);
  if (fault !== undefined) return { fault };
  const token = answer.body.trim();
  if (TOKEN.test(token)) return { value: token };
  const found = token === '' ? 'an empty answer' : 'something that is no token';
  return failed('the metadata service gives no session token', found, ADVICE.foreign);
}

/** The name of the instance's role. */
export function readRoleName(answer: ImdsAnswer): Reading<string> {
  if (answer.status === 404) {
    const words = wordsOf(answer.body)?.words;
    return failed('the instance has no role', words === undefined ? 'HTTP 404' : `HTTP 404, ${words}`, ADVICE.attach);
  }
  const fault = refusal('the name of the role', answer);
  if (fault !== undefined) return { fault };
  const name = answer.body.split('\n')[0]?.trim() ?? '';
  if (ROLE_NAME.test(name)) return { value: name };
  if (name === '') return failed('the instance has no role', 'an empty answer', ADVICE.attach);
  return failed('the metadata service names no role', quoteStranger(name, MAX_CODE_LENGTH), ADVICE.foreign);
}

/** @param nowMs milliseconds since the epoch: credentials that have expired are refused */
export function readRoleCredentials(role: string, answer: ImdsAnswer, nowMs: number): Reading<RoleCredentials> {
  const said = wordsOf(answer.body);
  if (said?.code !== undefined && said.code !== 'Success') {
    const isService = SERVICE_CODES.has(said.code) || isServiceStatus(answer.status);
    return failed(`AWS gives no credentials for role ${role}`, said.words, isService ? ADVICE.service : ADVICE.role);
  }
  if (answer.status === 404) return failed(`there are no credentials for role ${role}`, 'HTTP 404', ADVICE.role);
  const fault = refusal(`the credentials of role ${role}`, answer);
  if (fault !== undefined) return { fault };
  if (answer.body.trim() === '')
    return failed(`there are no credentials for role ${role}`, 'an empty answer', ADVICE.role);
  const json = parseObject(answer.body);
  if (json === undefined) return failed('the metadata service gives no credentials', 'no JSON object', ADVICE.foreign);
  const document = roleDocument.safeParse(json);
  if (!document.success) {
    const wrong = [...new Set(document.error.issues.map(({ path }) => path.join('.')))].join(', ');
    const words = said === undefined ? '' : ` (${said.words})`;
    return failed(
      'the metadata service gives no credentials',
      `missing or malformed: ${wrong}${words}`,
      ADVICE.foreign,
    );
  }
  if (said?.code === undefined) {
    return failed('the metadata service gives no credentials', 'missing or malformed: Code', ADVICE.foreign);
  }
  const { AccessKeyId, SecretAccessKey, Token, Expiration } = document.data;
  const expiration = new Date(Expiration);
  if (expiration.getTime() <= nowMs) {
    const now = new Date(nowMs).toISOString();
    return failed(
      `the credentials of role ${role} have expired`,
      `${expiration.toISOString()}, and now it is ${now}`,
      ADVICE.expired,
    );
  }
  return {
    value: { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey, sessionToken: Token, expiration },
  };
}
