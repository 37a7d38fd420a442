/** How a child process ended, and what that means for whoever keeps it alive. */
import type { LaunchFailure } from '../../system/processes/launch-plan.ts';

export interface Exit {
  readonly code: number | null;
  readonly signal: string | null;
  /** We killed it, because it no longer answered. */
  readonly wasUnresponsive?: boolean;
  /** It never became the program: what the launcher could not do. */
  readonly notLaunched?: LaunchFailure;
}

export interface ExitVerdict {
  readonly code: string;
  readonly meaning: string;
  readonly restart: boolean;
  readonly alert: boolean;
}
