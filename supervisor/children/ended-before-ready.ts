/**
 * An exit before readiness. Whether another start follows is decided by what the exit meant, as with any other. A program that ran
 * is told by the code of its end, whose advice says what to mend; one that could not be launched by CHILD_LAUNCH_FAILED.
 */
import { CodedError } from '../../runtime/errors.ts';
import type { Exit, ExitVerdict } from './exit.ts';

export class EndedBeforeReady extends CodedError {
  readonly verdict: ExitVerdict;
  readonly exit: Exit;

  constructor(name: string, verdict: ExitVerdict, exit: Exit) {
    super(
      exit.notLaunched ? 'CHILD_LAUNCH_FAILED' : verdict.code,
      `${name} ended before it was ready: ${verdict.meaning}`,
      { found: `${verdict.code} (exit code ${exit.code}, signal ${exit.signal})` },
    );
    this.verdict = verdict;
    this.exit = exit;
  }
}
