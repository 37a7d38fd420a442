/**
 * The boot is a chain of phases. Each has a name, a deadline and a typed result; a phase can only be appended where the
 * results that it needs exist, which the type of `BootTable` checks. One function walks the chain.
 */
import { untilAborted } from '../../runtime/abort.ts';
import type { Clock } from '../../runtime/clock.ts';
import { Deadline } from '../../runtime/deadline.ts';
import { CodedError, describeError } from '../../runtime/errors.ts';
import type { Logger } from '../../runtime/log.ts';
import type { Random } from '../../runtime/random.ts';
import type { OutputLog } from '../control/log-buffer.ts';
import { SupervisorError } from '../errors.ts';
import type { Platform } from '../platform.ts';
import type { StatusBoard } from '../status.ts';

export interface PhaseContext {
  readonly platform: Platform;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly status: StatusBoard;
  /** Aborts when the phase's deadline passes or the supervisor is told to stop. */
  readonly signal: AbortSignal;
  /**
   * Registers what must be undone when the supervisor stops, or when a later phase fails. Run in reverse order.
   * @param extraMs how much longer than others it may take
   */
  readonly defer: (cleanup: () => Promise<void> | void, extraMs?: number) => void;
  /** For background work that breaks after its phase is over: the supervisor then stops in order. */
  readonly fail: (error: unknown) => void;
  /** For what comes to its own end in order, and the enclave with it. */
  readonly stop: (reason: string) => void;
  /** What programs of an application print: goes to the parent unless there is no room for it, which is told. */
  readonly outputLog: OutputLog;
}

export interface Phase<Needs, Gives extends object> {
  readonly name: string;
  readonly deadlineMs: (have: Needs) => number;
  readonly run: (have: Needs, context: PhaseContext) => Promise<Gives>;
}

interface AnyPhase {
  readonly name: string;
  readonly deadlineMs: (have: never) => number;
  readonly run: (have: never, context: PhaseContext) => Promise<object>;
}

export class BootTable<Have extends object> {
  readonly phases: readonly AnyPhase[];

  private constructor(phases: readonly AnyPhase[]) {
    this.phases = phases;
  }

  static empty<Start extends object>(): BootTable<Start> {
    return new BootTable<Start>([]);
  }

  phase<Gives extends object>(next: Phase<Have, Gives>): BootTable<Have & Gives> {
    return new BootTable<Have & Gives>([...this.phases, next]);
  }
}

/** Walks the table. @throws the stop signal's reason, or a coded error that names the phase. */
export async function boot<Have extends object>(
  table: BootTable<Have>,
  start: object,
  context: Omit<PhaseContext, 'signal'>,
  stop: AbortSignal,
): Promise<Have> {
  let have = start;
  for (const phase of table.phases) {
    stop.throwIfAborted();
    const startedMs = context.clock.monotonicMs();
    context.status.set({ state: 'booting', phase: phase.name });
    const gives = await runWithDeadline(phase, have as never, context, stop);
    context.logger.log('info', 'boot.phase-done', {
      phase: phase.name,
      durationMs: Math.round(context.clock.monotonicMs() - startedMs),
    });
    have = { ...have, ...gives };
  }
  return have as Have;
}

async function runWithDeadline(
  phase: AnyPhase,
  have: never,
  context: Omit<PhaseContext, 'signal'>,
  stop: AbortSignal,
): Promise<object> {
  const deadlineMs = phase.deadlineMs(have);
  const tooLate = () =>
    new SupervisorError('BOOT_DEADLINE', `boot phase ${phase.name} took too long`, { allowed: `${deadlineMs} ms` });
  using deadline = new Deadline(context.clock, deadlineMs, stop, tooLate);
  const { signal } = deadline;
  try {
    // Even a phase that forgets its signal cannot hang the boot.
    return await untilAborted(phase.run(have, { ...context, signal }), signal);
  } catch (error) {
    stop.throwIfAborted();
    throw explainFailure(phase, error, deadline.hasPassed, context.status);
  }
}

function explainFailure(phase: AnyPhase, error: unknown, isLate: boolean, status: StatusBoard): Error {
  if (isLate) {
    const { detail, errorCode: lastCode } = status.current;
    return new SupervisorError('BOOT_DEADLINE', `boot phase ${phase.name} took too long`, {
      ...(detail === null ? {} : { found: `still waiting: ${detail}${lastCode === null ? '' : ` (${lastCode})`}` }),
      cause: error,
    });
  }
  if (error instanceof CodedError) return error;
  return new SupervisorError('BOOT_PHASE_FAILED', `boot phase ${phase.name} failed: ${describeError(error)}`, {
    cause: error,
  });
}
