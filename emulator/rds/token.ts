/**
 * What RDS asks IAM about a token: whether somebody signed it who may be this user, for this database, in this region, and not more than
 * fifteen minutes ago. The signature is computed again from the secret key that the emulated account has issued.
 * Specification: RDS User Guide, "IAM database authentication"; AWS Signature Version 4, signing by query.
 */
import { timingSafeEqual } from 'node:crypto';
import type { Clock } from '../../runtime/clock.ts';
import type { Credential, CredentialStore } from '../credentials.ts';
import { ALGORITHM, parseAmzDate, signatureOf } from '../signature-v4.ts';

const SERVICE = 'rds-db';
/** Whatever the token says. */
const MAX_SECONDS = 900;
const MAX_SKEW_MS = 5 * 60_000;
const CREDENTIAL = /^([A-Z0-9]{16,128})\/(\d{8})\/([a-z0-9-]+)\/([a-z0-9-]+)\/aws4_request$/;
const SIGNATURE = /^[0-9a-f]{64}$/;
const PARAMETERS = [
  'Action',
  'DBUser',
  'X-Amz-Algorithm',
  'X-Amz-Credential',
  'X-Amz-Date',
  'X-Amz-Expires',
  'X-Amz-Security-Token',
  'X-Amz-Signature',
  'X-Amz-SignedHeaders',
];

export interface TokenRules {
  /** `host:port`, as clients name the database. */
  readonly endpoint: string;
  readonly region: string;
  readonly credentials: CredentialStore;
  readonly clock: Clock;
  /** The statement `rds-db:connect` of IAM policies. @param policyArn of a role or user */
  readonly mayConnect: (policyArn: string, user: string) => boolean;
}

/** @returns why it is refused; undefined: it is good */
export async function tokenFault(token: string, user: string, rules: TokenRules): Promise<string | undefined> {
  const [endpoint = '', text] = token.split('/?', 2);
  if (text === undefined || endpoint !== rules.endpoint) return `it is for ${endpoint.slice(0, 300)}`;
  const query = new Map(new URLSearchParams(text));
  const value = (name: string) => query.get(name) ?? '';
  if ([...query.keys()].some((name) => !PARAMETERS.includes(name))) return 'it has an unknown parameter';
  if (value('Action') !== 'connect' || value('X-Amz-Algorithm') !== ALGORITHM) return 'it does not ask to connect';
  if (value('DBUser') !== user) return `it is for user ${value('DBUser')}`;
  if (value('X-Amz-SignedHeaders') !== 'host') return 'the host is not signed';
  const [, accessKeyId = '', date = '', region = '', service = ''] = CREDENTIAL.exec(value('X-Amz-Credential')) ?? [];
  if (region !== rules.region || service !== SERVICE) return `it is for ${service} in ${region}`;
  const credential = await rules.credentials.find(accessKeyId);
  if (!credential || query.get('X-Amz-Security-Token') !== credential.sessionToken) return 'its access key is unknown';
  const amzDate = value('X-Amz-Date');
  if (!amzDate.startsWith(date)) return 'it is scoped to another day';
  const given = value('X-Amz-Signature');
  query.delete('X-Amz-Signature');
  const request = { method: 'GET', path: '/', query, headers: [['host', [endpoint]]], body: Buffer.alloc(0) } as const;
  const expected = signatureOf(request, { date, region, service }, amzDate, credential.secretAccessKey);
  if (!SIGNATURE.test(given) || !timingSafeEqual(expected, Buffer.from(given, 'hex'))) return 'its signature is wrong';
  return (
    timeFault(parseAmzDate(amzDate), Number(value('X-Amz-Expires')), credential, rules) ??
    rightFault(credential, user, rules)
  );
}

function timeFault(
  signedMs: number | undefined,
  seconds: number,
  { expiresAtMs }: Credential,
  { clock }: TokenRules,
): string | undefined {
  const nowMs = clock.nowMs();
  if (signedMs === undefined || !(seconds > 0 && seconds <= MAX_SECONDS)) return 'its time is malformed';
  if (signedMs > nowMs + MAX_SKEW_MS) return 'it is from the future';
  if (signedMs + seconds * 1000 < nowMs) return 'it has expired';
  return expiresAtMs !== undefined && expiresAtMs <= nowMs ? 'its credentials have expired' : undefined;
}

function rightFault({ principal }: Credential, user: string, { mayConnect }: TokenRules): string | undefined {
  return mayConnect(principal.policyArn, user) ? undefined : `${principal.policyArn} has no rds-db:connect for ${user}`;
}
