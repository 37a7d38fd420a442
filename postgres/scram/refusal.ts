/** How a login by SCRAM is refused: in words that hold no value of the exchange (PostgreSQL manual, appendix A). */
import { SessionError } from '../session-error.ts';

/** 08P01: no message of SCRAM. */
export function malformed(what: string): SessionError {
  return new SessionError('08P01', `malformed SCRAM message: ${what}`);
}

/** 08P01: not at this point of the login, or after its end. */
export function outOfTurn(): SessionError {
  return new SessionError('08P01', 'SCRAM message out of turn');
}

/** 28000: well-formed, and nothing that is agreed to here. */
export function unsuitable(what: string): SessionError {
  return new SessionError('28000', `SCRAM login refused: ${what}`);
}

/** 28P01: whoever it is does not know the password. */
export function wrongPassword(): SessionError {
  return new SessionError('28P01', 'password authentication failed');
}
