/**
 * What the supervisor and the programs of a session tell each other over their channel (system/processes/channel.ts). Towards a
 * program nothing is checked, it trusts its supervisor; what comes from one is: it talks to clients and to the database.
 */
import { z } from 'zod';
import type { CertificateIdentifier } from '../acra/client-id.ts';
import type { Migration } from '../acra/migration/migration.ts';
import type { Policy } from '../acra/statements/policy.ts';
import type { GuardMode } from '../config/guard.ts';
import type { RevokedEntry } from '../config/revoked.ts';
import type { DatabaseLogin } from '../config/user-secrets.ts';
import { LOG_LEVELS } from '../runtime/log.ts';
import { MAX_REQUEST_BYTES } from '../wire/requests/bounds.ts';
import { base64, type EnclaveAnswer } from '../wire/requests/messages.ts';
import type { DatabaseTarget } from './edge/database-connection.ts';
import { ATTESTATION_OUTCOMES } from './front/attestation/outcomes.ts';
import type { FrontLimits } from './front/limits.ts';
import { REFUSAL_REASONS } from './front/refused.ts';
import { guardCountsSchema } from './guard/guard-counts.ts';
import { MAX_LOG_CHARACTERS } from './loggable.ts';
import type { ToldTable } from './protected-tables.ts';

/** To the front, first of all; its one secret is the PEM of the private key. */
export interface ServeFront {
  readonly type: 'serve';
  readonly listenPath: string;
  readonly certificatePem: string;
  readonly clientCaPem: string;
  readonly minTls: DatabaseTarget['minTls'];
  readonly clientIdFrom: CertificateIdentifier;
  readonly revoked: readonly RevokedEntry[];
  /** For requests to cancel. */
  readonly database: DatabaseTarget;
  readonly limits: FrontLimits;
}

/** To the front: where the sessions of an identity go, or why they go nowhere. */
export type GuardAnswer =
  | { readonly type: 'guard'; readonly clientId: string; readonly path: string }
  | { readonly type: 'no-guard'; readonly clientId: string; readonly sqlState: string; readonly message: string };

/** To all: no new sessions; those that there are end when they are idle. To a guard: `isLast`, now. */
export interface Drain {
  readonly type: 'drain';
  readonly isLast: boolean;
}

/** To the front: what the enclave answers to whoever asked (RequestQuestion). */
export interface RequestAnswer {
  readonly type: 'answer';
  readonly id: number;
  readonly answer: EnclaveAnswer;
}

/** To the front, and to the ports of an application: another certificate, which new sessions get; its one secret is the PEM of the private key. */
export interface AnotherCertificate {
  readonly type: 'certificate';
  readonly certificatePem: string;
}

export type ToFront = ServeFront | GuardAnswer | RequestAnswer | AnotherCertificate | Drain;

/** To a guard, first of all; its secrets are the one for mock challenges, and those of the users, in their order. */
export interface ServeGuard {
  readonly type: 'serve';
  readonly listenPath: string;
  readonly acraPath: string;
  /** Of what plays acra-server's database; 0: any. */
  readonly enginePort: number;
  readonly tables: readonly ToldTable[];
  readonly policy: Policy;
  readonly migrations: readonly Migration[];
  /** Whether acra-server looks for poison records. */
  readonly poisonDetection: boolean;
  readonly mode: GuardMode;
  readonly slowStatementMs: number;
  readonly database: DatabaseTarget;
  readonly login: DatabaseLogin;
  readonly users: readonly GuardUser[];
  readonly maxMessageBytes: number;
}

interface GuardUser {
  readonly name: string;
  readonly databases: readonly string[];
  /** How many of the secrets are its own: one or two; none where none is sealed. */
  readonly secrets: number;
}

/** To a guard: what coming logins need, in the place of what came with ServeGuard, and with the same secrets. It answers. */
export interface OtherSecrets {
  readonly type: 'secrets';
  readonly id: number;
  readonly users: readonly GuardUser[];
}

/** To a guard: what it asked for by this id and user, or the one before it did, which counted in the same way; its one secret is the token. */
export interface LoginToken {
  readonly type: 'login-token';
  readonly id: number;
  readonly user: string;
}

/** There can be none now. */
export interface NoLoginToken {
  readonly type: 'no-login-token';
  readonly id: number;
  readonly user: string;
}

export type ToGuard = ServeGuard | OtherSecrets | LoginToken | NoLoginToken | Drain;

const value = z.union([z.string().max(MAX_LOG_CHARACTERS), z.number(), z.boolean(), z.null()]);
export const logSchema = z.strictObject({
  type: z.literal('log'),
  level: z.enum(LOG_LEVELS),
  event: z.templateLiteral([z.enum(['front', 'guard', 'port']), '.', z.string().regex(/^[a-z-]{1,40}$/)]),
  fields: z.record(z.string().regex(/^[A-Za-z]{1,40}$/), value),
});
const count = z.int().min(0);

const frontCounts = z.strictObject({
  type: z.literal('counts'),
  /** Now. */
  open: count,
  pending: count,
  /** Since this front was launched. */
  evicted: count,
  refused: z.record(z.enum(REFUSAL_REASONS), count),
  /** Connections for attestation: now, and what has become of those before. */
  attesting: count,
  attestations: z.record(z.enum(ATTESTATION_OUTCOMES), count),
});
export type FrontCounts = z.output<typeof frontCounts>;

/** A stranger's request (wire/requests/messages.ts), unread: JSON, or what is none, in base64. */
export const requestQuestion = z.strictObject({
  type: z.literal('request'),
  id: count,
  payload: base64(MAX_REQUEST_BYTES),
});
export type RequestQuestion = z.output<typeof requestQuestion>;

export const fromFrontSchema = z.discriminatedUnion('type', [
  logSchema,
  z.strictObject({ type: z.literal('listening') }),
  frontCounts,
  requestQuestion,
  z.strictObject({ type: z.literal('guard-wanted'), clientId: z.string().regex(/^[0-9a-f]{128}$/) }),
]);
export type FromFront = z.output<typeof fromFrontSchema>;

/** NAMEDATALEN - 1 bytes. */
const MAX_USER_CHARACTERS = 63;

export const fromGuardSchema = z.discriminatedUnion('type', [
  logSchema,
  /** Before anything else: where acra-server is to find its database. */
  z.strictObject({ type: z.literal('engine'), port: z.int().min(1).max(65_535) }),
  z.strictObject({ type: z.literal('listening') }),
  z.strictObject({ type: z.literal('sessions'), open: count }),
  guardCountsSchema,
  /** To OtherSecrets of this id. */
  z.strictObject({ type: z.literal('secrets'), id: count, areTaken: z.boolean() }),
  /** With `login: rds-iam`: a token is to be made for a login as this user; the database refused one. */
  z.strictObject({ type: z.literal('login-token-wanted'), id: count, user: z.string().max(MAX_USER_CHARACTERS) }),
  z.strictObject({ type: z.literal('login-token-refused'), user: z.string().max(MAX_USER_CHARACTERS) }),
  /** acra-server did not protect a value, or does not answer: it is to be ended. */
  z.strictObject({ type: z.literal('engine-fault'), fault: z.enum(['unprotected', 'deaf']) }),
]);
export type FromGuard = z.output<typeof fromGuardSchema>;
