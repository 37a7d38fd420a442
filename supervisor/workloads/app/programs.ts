/**
 * The programs of an application, each a supervised child of its own. They start in the order that `after` gives, side by side where it
 * leaves that open, and stop in the reverse one: nobody loses what it stands on before it has ended itself.
 */
import type { AppEnclaveConfig } from '../../../config/app/app-enclave.ts';
import type { Program } from '../../../config/app/programs.ts';
import { untilAborted } from '../../../runtime/abort.ts';
import type { Clock } from '../../../runtime/clock.ts';
import { Deadline } from '../../../runtime/deadline.ts';
import type { Logger } from '../../../runtime/log.ts';
import type { Random } from '../../../runtime/random.ts';
import { type MetricSample, sample } from '../../../wire/metrics.ts';
import { type ChildState, SupervisedChild } from '../../children/child.ts';
import type { Exit } from '../../children/exit.ts';
import type { OutputLog } from '../../control/log-buffer.ts';
import { SupervisorError } from '../../errors.ts';
import type { Application } from '../../platform.ts';
import { type Member, type MemberListener, NO_ALARMS, type Workload } from '../workload.ts';
import { ProgramOutput } from './output.ts';
import { requireReady } from './probes.ts';
import { type ProgramDeps, probeOf, serviceSpec } from './program.ts';
import type { ProgramVerdict } from './program-exit.ts';
import { runTask } from './task.ts';

const MIB = 1024 * 1024;
/** For what programs said last. */
const OUTPUT_MS = 3_000;

export interface ProgramsDeps {
  readonly config: Pick<AppEnclaveConfig, 'programs' | 'restart' | 'health'>;
  readonly application: Application;
  /** What the doors of the enclave tell programs of themselves. */
  readonly environment: Readonly<Record<string, string>>;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly outputLog: OutputLog;
  /** A program whose end is that of the enclave failed, or a supervision itself broke. */
  readonly onFailure: (error: unknown) => void;
  /** A program whose end is that of the enclave ended with 0. */
  readonly onEnd: (reason: string) => void;
}

interface Running extends ProgramDeps {
  /** Undefined for a task. */
  readonly member: Member | undefined;
}

interface End {
  readonly exit: Exit;
  readonly verdict: ProgramVerdict;
}

export class Programs implements Workload {
  readonly #deps: ProgramsDeps;
  readonly #running = new Map<string, Running>();
  readonly #subscribers: MemberListener[] = [];
  readonly #stopping = new AbortController();
  #starting: Promise<unknown> = Promise.resolve();
  #stopped: Promise<void> | undefined;

  constructor(deps: ProgramsDeps) {
    this.#deps = deps;
  }

  get members(): readonly Member[] {
    return [...this.#running.values()].flatMap(({ member }) => member ?? []);
  }

  get essential(): readonly Member[] {
    return this.members;
  }

  get samples(): readonly MetricSample[] {
    const running = [...this.#running];
    return running.map(([program, { output }]) => sample('program_lost_lines_total', { program }, output.lostPieces));
  }

  subscribe(notify: MemberListener): void {
    this.#subscribers.push(notify);
  }

  /** Resolves when every service is ready and every task done. @throws what the first that is not says; the others are stopped */
  async start(signal: AbortSignal): Promise<void> {
    const failed = new AbortController();
    const ends = AbortSignal.any([signal, failed.signal, this.#stopping.signal]);
    const started = new Map<string, Promise<void>>();
    const startOne = (name: string, program: Program): Promise<void> => {
      const known = started.get(name);
      if (known !== undefined) return known;
      const starting = this.#startAfter(name, program, startOthers(program), ends);
      started.set(name, starting);
      return starting;
    };
    const { programs } = this.#deps.config;
    const startOthers = ({ after }: Program): Promise<unknown> =>
      Promise.all(
        after.map((other) => {
          const program = programs[other];
          return program === undefined ? Promise.resolve() : startOne(other, program);
        }),
      );
    const all = Object.entries(programs).map(([name, program]) => startOne(name, program));
    for (const one of all) one.catch((error: unknown) => failed.abort(error));
    this.#starting = Promise.allSettled(all);
    await Promise.all(all).catch(async (error: unknown) => {
      await this.#starting;
      throw signal.aborted ? signal.reason : error;
    });
  }

  async #startAfter(name: string, program: Program, others: Promise<unknown>, signal: AbortSignal): Promise<void> {
    await others;
    signal.throwIfAborted();
    const { application, config, clock, random, logger, environment, outputLog, onFailure } = this.#deps;
    const bounds = { maxMemoryBytes: program.maxMemoryMiB * MIB, maxTasks: program.maxTasks };
    const room = application.room(name, bounds, program.user);
    const output = new ProgramOutput({ program: name, outputLog, logger, clock });
    const deps: ProgramDeps = { name, program, config, room, root: application.root, environment, output, clock };
    if (program.kind === 'task') {
      this.#running.set(name, { ...deps, member: undefined });
      await runTask(deps, logger, signal);
      return;
    }
    const onState = (state: ChildState) => this.#follow(member, state, end);
    const spec = serviceSpec(deps);
    let end: End | undefined;
    const judgeExit = (exit: Exit) => {
      const verdict = spec.judgeExit(exit);
      end = { exit, verdict };
      return verdict;
    };
    const child = new SupervisedChild({ ...spec, judgeExit }, { clock, random, logger, onState, onFailure });
    const probe = probeOf(deps);
    const member: Member = {
      id: name,
      child,
      alarms: NO_ALARMS,
      ...(probe === undefined ? {} : { probe: (probing) => requireReady(probe, probing) }),
    };
    this.#running.set(name, { ...deps, member });
    await child.start(signal);
  }

  /** What is not started again ends the enclave, in order where it ended so itself. */
  #follow(member: Member, state: ChildState, end: End | undefined): void {
    const message = `program ${member.id} ended, and is not started again`;
    if (state.kind === 'failed' && end?.exit.code === 0) {
      this.#deps.onEnd(message);
      return;
    }
    for (const notify of this.#subscribers) notify(member, state);
    if (state.kind === 'failed')
      this.#deps.onFailure(new SupervisorError(end?.verdict.code ?? 'PROGRAM_ENDED', message, { found: state.reason }));
  }

  /** Programs hear of the end by their signals; connections are the relay's to drain. */
  async drain(): Promise<void> {
    await Promise.resolve();
  }

  /** Idempotent. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stopAll();
    return this.#stopped;
  }

  async #stopAll(): Promise<void> {
    this.#stopping.abort();
    await this.#starting;
    const stopped = new Map<string, Promise<void>>();
    const stopOne = (name: string): Promise<void> => {
      const known = stopped.get(name);
      if (known !== undefined) return known;
      const dependents = [...this.#running.values()].filter(({ program }) => program.after.includes(name));
      const stopping = Promise.all(dependents.map((each) => stopOne(each.name))).then(() => this.#stopOne(name));
      stopped.set(name, stopping);
      return stopping;
    };
    await Promise.all([...this.#running.keys()].map(stopOne));
  }

  async #stopOne(name: string): Promise<void> {
    const running = this.#running.get(name);
    if (running === undefined) return;
    const { member, output, room } = running;
    await member?.child.stop();
    using deadline = new Deadline(this.#deps.clock, OUTPUT_MS);
    await untilAborted(output.settled, deadline.signal).catch(() => undefined);
    room.release();
    if (member) this.#deps.logger.log('info', 'program.stopped', { child: name });
  }
}
