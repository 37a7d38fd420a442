/** Error codes of what every folder stands on. */
import type { ErrorCatalogue } from './errors.ts';
import { CodedError } from './errors.ts';

export const RUNTIME_ERRORS = {
  RUNTIME_SECRET_WIPED: {
    meaning: 'A secret was used after it had been wiped.',
    action: 'Report it: parts were stopped in the wrong order. No secret got out.',
  },
  RUNTIME_JSON_EXCESSIVE: {
    meaning: 'JSON has more values than what it is read for can have.',
    action: 'Send what was made for this place; check that both ends run the same release.',
  },
} as const satisfies ErrorCatalogue;

export class RuntimeError extends CodedError<keyof typeof RUNTIME_ERRORS> {}
