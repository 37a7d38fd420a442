/** Why connections are refused before they are sessions: told to the client in words, and counted by reason. */
import { SessionError } from '../../postgres/session-error.ts';

/**
 * In the words of metrics (docs/metrics.md). `address`: too many of one address; `failures`: too many of one address have failed;
 * `client`, `sessions`: too many of one identity, or in all; `late`: a stage took too long; `protocol`: no start of a session in TLS, or
 * records that say nothing; `certificate`: none of somebody who is served; `revoked`: one on the measured list; `unavailable`: nobody
 * serves it now; `gone`: it left; `internal`: a defect.
 */
export const REFUSAL_REASONS = [
  'address',
  'failures',
  'client',
  'sessions',
  'late',
  'protocol',
  'certificate',
  'revoked',
  'unavailable',
  'gone',
  'internal',
] as const;
export type RefusalReason = (typeof REFUSAL_REASONS)[number];

/** One number for each. */
export function byReason(numberOf: (reason: RefusalReason) => number): Record<RefusalReason, number> {
  return Object.fromEntries(REFUSAL_REASONS.map((reason) => [reason, numberOf(reason)])) as Record<
    RefusalReason,
    number
  >;
}

/** A refusal whose SQLSTATE alone does not say why. */
export class Refused extends SessionError {
  readonly reason: RefusalReason;

  constructor(reason: RefusalReason, sqlState: string, message: string) {
    super(sqlState, message);
    this.reason = reason;
  }
}

const REASONS: Readonly<Partial<Record<string, RefusalReason>>> = {
  '08006': 'gone',
  '28000': 'certificate',
  '57P03': 'unavailable',
};

export function reasonOf(error: unknown): RefusalReason {
  if (error instanceof Refused) return error.reason;
  return error instanceof SessionError ? (REASONS[error.sqlState] ?? 'protocol') : 'internal';
}

/** Whether it counts as a failed handshake: it has cost work, and another try would cost it again. */
export function isFailedHandshake(reason: RefusalReason): boolean {
  return ['late', 'protocol', 'certificate', 'revoked', 'gone'].includes(reason);
}
