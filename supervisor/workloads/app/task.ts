/** A task of an application: runs once, and must end with 0 in its time. */
import { Deadline } from '../../../runtime/deadline.ts';
import type { Logger } from '../../../runtime/log.ts';
import { SupervisorError } from '../../errors.ts';
import { exitJudge, launchProgram, type ProgramDeps } from './program.ts';

/**
 * An abort ends it: its stop signal, the grace, then SIGKILL.
 * @throws SupervisorError PROGRAM_TASK_FAILED, CHILD_LAUNCH_FAILED; the signal's reason
 */
export async function runTask(deps: ProgramDeps, logger: Logger, signal: AbortSignal): Promise<void> {
  const { name, program, clock, config } = deps;
  signal.throwIfAborted();
  const judge = exitJudge(deps);
  const process = launchProgram(deps);
  logger.log('info', 'program.task-started', { child: name, pid: process.pid });
  using deadline = new Deadline(clock, program.readyMs, signal);
  const gone = new AbortController();
  const end = () => {
    process.kill(program.stopSignal);
    clock.sleep(config.restart.stopGraceMs, gone.signal).then(
      () => process.kill('SIGKILL'),
      () => undefined,
    );
  };
  deadline.signal.addEventListener('abort', end, { once: true });
  const exit = await process.exited;
  deadline.signal.removeEventListener('abort', end);
  gone.abort();
  signal.throwIfAborted();
  const { code, meaning } = judge(exit);
  if (deadline.hasPassed)
    throw new SupervisorError('PROGRAM_TASK_FAILED', `task ${name} was not done in its time`, {
      found: meaning,
      allowed: `${program.readyMs} ms (readyMs)`,
    });
  if (exit.code !== 0)
    throw new SupervisorError('PROGRAM_TASK_FAILED', `task ${name} failed: ${meaning}`, {
      found: code,
      allowed: 'exit code 0',
    });
  logger.log('info', 'program.task-done', { child: name });
}
