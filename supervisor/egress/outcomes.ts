/** What became of what programs asked, counted by outcome; refusals are told in the log too, without paths and headers. */
import { CodedError, describeError, errorCode } from '../../runtime/errors.ts';
import type { Logger } from '../../runtime/log.ts';
import { outcomeOf } from './answers.ts';

export class Outcomes {
  readonly #logger: Logger;
  readonly #counts = new Map<string, number>();

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  get counts(): ReadonlyMap<string, number> {
    return this.#counts;
  }

  count(outcome: string): void {
    this.#counts.set(outcome, (this.#counts.get(outcome) ?? 0) + 1);
  }

  /** `found` of the errors of egress holds a host and a port at most. */
  refused(error: CodedError): void {
    this.count(outcomeOf(error.code));
    this.#logger.log('warn', 'egress.refused', { code: error.code, found: error.found, reason: error.message });
  }

  /** Anything else than an error of egress: who asked has gone. */
  failed(error: unknown): void {
    if (error instanceof CodedError && error.code.startsWith('EGRESS_')) this.refused(error);
    else {
      this.count('abandoned');
      this.#logger.log('debug', 'egress.abandoned', { code: errorCode(error), reason: describeError(error) });
    }
  }
}
