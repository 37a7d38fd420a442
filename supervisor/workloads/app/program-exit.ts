/** What the end of an application's program means: its exit code, the signal by its name, or that its memory was used up. */
import { constants } from 'node:os';
import { describeLaunchFailure, isPassingLaunchFailure } from '../../../system/processes/launch-failure.ts';
import type { Exit, ExitVerdict } from '../../children/exit.ts';

/** As shells tell a death by signal. */
const OF_SIGNALS = 128;

interface Meaning {
  readonly code: 'CHILD_LAUNCH_FAILED' | 'PROGRAM_ENDED' | 'PROGRAM_KILLED' | 'PROGRAM_OUT_OF_MEMORY';
  readonly meaning: string;
}

/** @param outOfMemory whether the kernel ended processes of the program for their memory */
function explainProgramExit({ code, signal, notLaunched }: Exit, outOfMemory: boolean): Meaning {
  if (notLaunched !== undefined) return { code: 'CHILD_LAUNCH_FAILED', meaning: describeLaunchFailure(notLaunched) };
  if (outOfMemory)
    return { code: 'PROGRAM_OUT_OF_MEMORY', meaning: 'the kernel ended it: it took more memory than maxMemoryMiB' };
  if (signal === null) return { code: 'PROGRAM_ENDED', meaning: `it ended with exit code ${code}` };
  const number = constants.signals[signal as NodeJS.Signals];
  return { code: 'PROGRAM_KILLED', meaning: `${signal} ended it (signal ${number}, exit code ${OF_SIGNALS + number})` };
}

export type ProgramVerdict = ExitVerdict & Meaning;

/** @param mayRestart whether the program is started again at all */
export function judgeProgramExit(exit: Exit, outOfMemory: boolean, mayRestart: boolean): ProgramVerdict {
  const { notLaunched } = exit;
  const canStart = notLaunched === undefined || isPassingLaunchFailure(notLaunched);
  return { ...explainProgramExit(exit, outOfMemory), restart: mayRestart && canStart, alert: !mayRestart };
}
