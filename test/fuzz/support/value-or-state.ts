/** What a parser of PostgreSQL's protocol may make of an input: a value, or a SessionError. All else is a finding. */
import assert from 'node:assert/strict';
import { SessionError } from '../../../postgres/session-error.ts';

function refused(error: unknown, states: RegExp): undefined {
  if (!(error instanceof SessionError)) throw error;
  assert.match(error.sqlState, states);
}

/** @returns undefined where it is refused with one of these SQLSTATEs */
export function valueOrState<Value>(parse: () => Value, states: RegExp): Value | undefined {
  try {
    return parse();
  } catch (error) {
    return refused(error, states);
  }
}

/** The same of what answers later. */
export async function laterValueOrState<Value>(parsing: Promise<Value>, states: RegExp): Promise<Value | undefined> {
  try {
    return await parsing;
  } catch (error) {
    return refused(error, states);
  }
}
