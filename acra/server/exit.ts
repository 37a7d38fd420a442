/**
 * What the end of an acra-server process means. Its exit codes alone mislead: 0 also stands for several configuration
 * errors, 1 also for a clean stop that took too long (acra-server contract 0.6, 3.3).
 */
import { describeLaunchFailure, isPassingLaunchFailure } from '../../system/processes/launch-failure.ts';
import type { LaunchFailure } from '../../system/processes/launch-plan.ts';
import { ACRA_ERRORS } from '../errors.ts';
import { LOG_CODES } from './log-codes.ts';

export interface AcraExit {
  /** Null when a signal ended the process. */
  readonly code: number | null;
  readonly signal: string | null;
  /** Whether we had asked the process to stop. */
  readonly requested: boolean;
  /** Whether we had killed it because it accepted nothing any more. */
  readonly wasUnresponsive?: boolean;
  /** It never ran, and why. */
  readonly notLaunched?: LaunchFailure;
  /** Codes of the records that parseAcraLogLine read from this process. */
  readonly logCodes: ReadonlySet<number>;
}

export type AcraExitCode = Extract<keyof typeof ACRA_ERRORS, `ACRA_EXIT_${string}`>;

interface ExplainedExit {
  readonly errorCode: AcraExitCode;
  readonly meaning: string;
  readonly restart: 'back-off' | 'never';
  readonly alert: boolean;
}

/** Conditions that the next start would meet again. Keystore failures at start carry no code (acra-server contract 1.3). */
const LASTING = [
  LOG_CODES.wrongConfiguration,
  LOG_CODES.serviceConfigUnreadable,
  LOG_CODES.transportConfiguration,
  LOG_CODES.censorSetup,
];

/** 128 + signal, as the shell writes it: acra-server itself, or what started it, may report a signal so. */
const SIGNAL_CODES: ReadonlyMap<number, string> = new Map([
  [134, 'SIGABRT'],
  [137, 'SIGKILL'],
  [139, 'SIGSEGV'],
  [141, 'SIGPIPE'],
  [143, 'SIGTERM'],
]);

const BY_CODE: ReadonlyMap<number, AcraExitCode> = new Map([
  [0, 'ACRA_EXIT_WITHOUT_ERROR'],
  [1, 'ACRA_EXIT_FAILURE'],
  [2, 'ACRA_EXIT_CRASH'],
  [126, 'ACRA_EXIT_NOT_EXECUTED'],
  [127, 'ACRA_EXIT_NOT_EXECUTED'],
]);

const BY_SIGNAL: ReadonlyMap<string, AcraExitCode> = new Map([
  ['SIGPIPE', 'ACRA_EXIT_LOG_PIPE'],
  ['SIGTERM', 'ACRA_EXIT_TERMINATED'],
  ['SIGINT', 'ACRA_EXIT_TERMINATED'],
  ['SIGABRT', 'ACRA_EXIT_CRASH'],
  ['SIGBUS', 'ACRA_EXIT_CRASH'],
  ['SIGFPE', 'ACRA_EXIT_CRASH'],
  ['SIGILL', 'ACRA_EXIT_CRASH'],
  ['SIGSEGV', 'ACRA_EXIT_CRASH'],
  ['SIGTRAP', 'ACRA_EXIT_CRASH'],
]);

function classify({ code, signal, requested, wasUnresponsive, notLaunched, logCodes }: AcraExit): AcraExitCode {
  if (notLaunched) return 'ACRA_EXIT_NOT_EXECUTED';
  if (logCodes.has(LOG_CODES.poisonRecordShutdown)) return 'ACRA_EXIT_POISON_RECORD';
  if (requested) return 'ACRA_EXIT_REQUESTED';
  if (wasUnresponsive) return 'ACRA_EXIT_UNRESPONSIVE';
  const signalName = signal ?? SIGNAL_CODES.get(code ?? -1);
  if (signalName !== undefined) return BY_SIGNAL.get(signalName) ?? 'ACRA_EXIT_KILLED';
  if ((code === 0 || code === 1) && LASTING.some((each) => logCodes.has(each))) return 'ACRA_EXIT_CONFIGURATION';
  return BY_CODE.get(code ?? -1) ?? 'ACRA_EXIT_UNKNOWN';
}

const NEVER_RESTARTED: ReadonlySet<AcraExitCode> = new Set([
  'ACRA_EXIT_REQUESTED',
  'ACRA_EXIT_POISON_RECORD',
  'ACRA_EXIT_CONFIGURATION',
  'ACRA_EXIT_NOT_EXECUTED',
]);

/**
 * Every end that nobody asked for is a failure, whatever its code. A poison record raises an alert even when a stop was
 * under way, and is never answered by a restart (acra-server contract 3.5).
 */
export function explainExit(exit: AcraExit): ExplainedExit {
  const errorCode = classify(exit);
  const { notLaunched } = exit;
  const isPassing = notLaunched !== undefined && isPassingLaunchFailure(notLaunched);
  return {
    errorCode,
    meaning: notLaunched
      ? `${ACRA_ERRORS[errorCode].meaning} ${describeLaunchFailure(notLaunched)}`
      : ACRA_ERRORS[errorCode].meaning,
    restart: NEVER_RESTARTED.has(errorCode) && !isPassing ? 'never' : 'back-off',
    alert: errorCode === 'ACRA_EXIT_POISON_RECORD',
  };
}
