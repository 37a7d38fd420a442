/** One program of an application: how it is launched in its place, when it is ready, and what its ends mean. */

import type { AppEnclaveConfig } from '../../../config/app/app-enclave.ts';
import type { Program } from '../../../config/app/programs.ts';
import { untilAborted } from '../../../runtime/abort.ts';
import type { Clock } from '../../../runtime/clock.ts';
import { DEFAULT_PATH } from '../../../system/processes/candidates.ts';
import { endGroup } from '../../../system/processes/process-group.ts';
import type { ChildSpec } from '../../children/child.ts';
import type { Exit } from '../../children/exit.ts';
import { type StartedProcess, startProcess } from '../../children/process.ts';
import type { Application, ProgramRoom } from '../../platform.ts';
import type { ProgramOutput } from './output.ts';
import { type ProbeDeps, untilReady } from './probes.ts';
import { judgeProgramExit, type ProgramVerdict } from './program-exit.ts';

const UMASK = 0o022;

export interface ProgramDeps {
  readonly name: string;
  readonly program: Program;
  readonly config: Pick<AppEnclaveConfig, 'restart' | 'health'>;
  readonly room: ProgramRoom;
  readonly root: Application['root'];
  /** What the enclave adds; what the program states itself goes before. */
  readonly environment: Readonly<Record<string, string>>;
  readonly output: ProgramOutput;
  readonly clock: Clock;
}

/** Nothing of the supervisor's own. */
function environmentOf({ program, environment }: ProgramDeps): Readonly<Record<string, string>> {
  return { PATH: DEFAULT_PATH, HOME: '/', ...environment, ...program.environment };
}

type Streams = readonly (NodeJS.ReadableStream | null)[];

interface Launch {
  readonly name: string;
  readonly command: readonly string[];
  readonly onStreams: (streams: Streams) => void;
  readonly onExit?: () => void;
  /** Bounds the process. */
  readonly enclose: (pid: number) => void;
  /** Ends what the process left running. */
  readonly clear: () => void;
}

function launchIn(deps: ProgramDeps, { command, enclose, clear, ...launch }: Launch): StartedProcess {
  const { program, room, root, clock } = deps;
  const [word = '', ...words] = command;
  return startProcess({
    ...launch,
    program: word,
    arguments: words,
    environment: environmentOf(deps),
    secrets: [],
    umask: UMASK,
    place: {
      workingFolder: program.workingFolder,
      ...(root === undefined ? {} : { root }),
      ...(room.user === undefined ? {} : { user: room.user }),
    },
    confinement: { user: undefined, enclose, clear },
    clock,
  });
}

/** @throws SupervisorError CHILD_LAUNCH_FAILED */
export function launchProgram(deps: ProgramDeps): StartedProcess {
  const { name, program, room, output } = deps;
  return launchIn(deps, {
    name,
    command: program.command,
    onStreams: (streams) => output.attach(streams),
    onExit: () => output.ending(),
    enclose: (pid) => room.enclose(pid),
    clear: () => room.clear(),
  });
}

/** One run of a probe's command; what it prints is read and dropped. An abort ends it, and its end what it started. */
async function runProbe(deps: ProgramDeps, command: readonly string[], signal: AbortSignal): Promise<number | null> {
  let leader: number | undefined;
  const process = launchIn(deps, {
    name: `${deps.name}-probe`,
    command,
    onStreams: (streams) => {
      for (const stream of streams) stream?.resume();
    },
    enclose: (pid) => {
      leader = pid;
      deps.room.join(pid);
    },
    clear: () => endGroup(leader, 'SIGKILL'),
  });
  const end = () => process.kill('SIGKILL');
  signal.addEventListener('abort', end, { once: true });
  if (signal.aborted) end();
  const { code } = await process.exited;
  signal.removeEventListener('abort', end);
  return code;
}

/** Undefined where it counts as ready once it runs. */
export function probeOf(deps: ProgramDeps): ProbeDeps | undefined {
  const { name, program, config, clock } = deps;
  const { probe } = program;
  if (probe === undefined) return undefined;
  const run = (command: readonly string[], signal: AbortSignal) => runProbe(deps, command, signal);
  return { program: name, probe, timeoutMs: config.health.probeTimeoutMs, clock, run };
}

/** Judges each end once: whether memory ran out is known by a count that grows. */
export function exitJudge({ room, program }: Pick<ProgramDeps, 'room' | 'program'>): (exit: Exit) => ProgramVerdict {
  let known = room.outOfMemoryKills();
  return (exit) => {
    const kills = room.outOfMemoryKills();
    const outOfMemory = kills > known;
    known = kills;
    return judgeProgramExit(exit, outOfMemory, program.restart === 'always');
  };
}

interface ProgramSpec extends ChildSpec {
  readonly judgeExit: (exit: Exit) => ProgramVerdict;
}

export function serviceSpec(deps: ProgramDeps): ProgramSpec {
  const { name, program, config } = deps;
  const probe = probeOf(deps);
  let current: StartedProcess | undefined;
  let lastFound: string | undefined;
  return {
    name,
    launch: () => {
      lastFound = undefined;
      current = launchProgram(deps);
      return current;
    },
    probe: async (signal) => {
      const runs = await untilAborted(current?.hasBecomeProgram ?? Promise.resolve(false), signal);
      // What never became the program ends in a moment, and says why.
      if (!runs) await untilAborted(new Promise<never>(() => undefined), signal);
      if (probe === undefined) return;
      await untilReady(probe, signal, (found) => {
        lastFound = `its probe found ${found}`;
      });
    },
    lastFound: () => lastFound,
    judgeExit: exitJudge(deps),
    stopSignal: program.stopSignal,
    restart: { ...config.restart, probeTimeoutMs: program.readyMs },
  };
}
