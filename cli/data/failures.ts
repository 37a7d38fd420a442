/**
 * What an error of a session means to a tool that goes on as long as it can. By SQLSTATE (PostgreSQL 18, "Error Codes"); the guard's own
 * refusals have the same form (docs/refusals.md).
 */
import { errorCode } from '../../runtime/errors.ts';

/**
 * - `lost`: the session, or for now the way to the database; what was under way may or may not be done.
 * - `again`: of two that stood in each other's way this one gave in.
 * - `row`: a value of the statement.
 * - `engine`: a value of the statement, or acra-server for all of them: it did not protect it, or does not answer.
 * - `unable`: nothing that another try mends.
 */
export type Failure = 'lost' | 'again' | 'row' | 'engine' | 'unable';

export const LOCK_NOT_AVAILABLE = '55P03';
const SQLSTATE = /^[0-9A-Z]{5}$/;
const LOST = [/^08/, /^57P/, /^53/, /^58030$/];
const AGAIN = [/^40/, /^55P03$/, /^57014$/];
const ROW = [/^22/, /^23/, /^54/, /^0A000$/];
const ENGINE = [/^58000$/];

export function sqlStateOf(error: unknown): string | undefined {
  const code = errorCode(error);
  return code !== undefined && SQLSTATE.test(code) ? code : undefined;
}

export function failureOf(error: unknown): Failure {
  const state = sqlStateOf(error);
  const is = (kinds: readonly RegExp[]) => state !== undefined && kinds.some((kind) => kind.test(state));
  if (is(AGAIN)) return 'again';
  if (is(ROW)) return 'row';
  if (is(ENGINE)) return 'engine';
  if (is(LOST)) return 'lost';
  return state === undefined && isOfNetwork(error) ? 'lost' : 'unable';
}

const NETWORK = ['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH', 'EAI_AGAIN'];

/** The library's own errors have no code. */
function isOfNetwork(error: unknown): boolean {
  const code = errorCode(error);
  const message = error instanceof Error ? error.message : '';
  const isLibrary =
    /Connection terminated|timeout expired|Client has encountered a connection error|not queryable|Client was closed|socket disconnected/i;
  return code === undefined ? isLibrary.test(message) : NETWORK.includes(code);
}
