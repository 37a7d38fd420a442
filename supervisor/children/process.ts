/**
 * One launched process as the supervision sees it: any program with its secrets and its confinement. What it prints is handed over;
 * what it leaves running when it ends is ended too.
 */
import type { Duplex, Readable, Writable } from 'node:stream';
import type { Clock } from '../../runtime/clock.ts';
import type { Confinement } from '../../system/processes/confinement.ts';
import type { Launched, LaunchSpec } from '../../system/processes/launch.ts';
import { launch } from '../../system/processes/launch.ts';
import { loaderFailure } from '../../system/processes/launch-failure.ts';
import { SupervisorError } from '../errors.ts';
import type { ProcessHandle } from './child.ts';
import type { Exit } from './exit.ts';

/** What an ended process has said is read in less. */
const OUTPUT_GRACE_MS = 1_000;
/** Longer than any complaint of a loader. */
const MAX_LINE_CHARACTERS = 2_000;

export interface ProcessOptions extends Omit<LaunchSpec, 'confinement'> {
  readonly name: string;
  readonly confinement: Pick<Confinement, 'user' | 'enclose' | 'clear'>;
  readonly clock: Clock;
  /** Must read them: a program whose output nobody reads blocks, or dies of SIGPIPE. */
  readonly onStreams: (streams: readonly (NodeJS.ReadableStream | null)[]) => void;
  /** When it has ended: what it printed before may not be read yet. */
  readonly onExit?: () => void;
  /** With `hasChannel`: our end of it. */
  readonly onChannel?: (channel: Duplex) => void;
}

export interface StartedProcess extends ProcessHandle {
  /** Resolves when the launcher is no more: whether it has become the program. */
  readonly hasBecomeProgram: Promise<boolean>;
}

/** @throws SupervisorError CHILD_LAUNCH_FAILED */
export function startProcess(options: ProcessOptions): StartedProcess {
  const launched = tryLaunch(options);
  const { process } = launched;
  options.onStreams(launched.output);
  if (launched.channel) options.onChannel?.(launched.channel);
  return {
    pid: launched.pid,
    exited: untilEnded(launched, options),
    kill: (signal) => void process.kill(signal),
    hasBecomeProgram: launched.failure.then((failure) => failure === undefined),
  };
}

function tryLaunch(options: ProcessOptions): Launched {
  try {
    return launch(options);
  } catch (cause) {
    throw new SupervisorError('CHILD_LAUNCH_FAILED', `${options.name} could not be launched`, { cause });
  }
}

/** The exit, once the output is read to its end; what the program left running may hold the output open for ever. */
async function untilEnded(
  { process, output, failure }: Launched,
  { clock, confinement, onExit }: ProcessOptions,
): Promise<Exit> {
  const firstLine = readFirstLine(output[1]);
  const read = Promise.all(output.map(untilClosed));
  const exit = await new Promise<Exit>((resolve) => {
    const closed = new AbortController();
    process.once('error', () => resolve({ code: null, signal: null }));
    process.once('close', async (code, signal) => {
      await read;
      closed.abort();
      resolve({ code, signal });
    });
    process.once('exit', () => {
      confinement.clear();
      onExit?.();
      closeAfterGrace([...process.stdio, ...output], clock, closed.signal);
    });
  });
  // Who is killed before it has become the program has not failed to.
  const launchFailure = exit.signal === null ? await failure : undefined;
  const notLaunched = launchFailure ?? loaderFailure(exit.code, firstLine());
  return notLaunched ? { ...exit, notLaunched } : exit;
}

function untilClosed(stream: Readable): Promise<void> {
  return new Promise((resolve) => void stream.once('close', resolve));
}

function closeAfterGrace(
  streams: readonly (Readable | Writable | null | undefined)[],
  clock: Clock,
  closed: AbortSignal,
): void {
  clock.sleep(OUTPUT_GRACE_MS, closed).then(
    () => {
      for (const stream of streams) stream?.destroy();
    },
    () => undefined,
  );
}

/** A loader that cannot start a program says so before anything else is said. */
function readFirstLine(stream: NodeJS.ReadableStream | null | undefined): () => string {
  let head = '';
  stream?.on('data', (chunk: Buffer) => {
    if (head.length < MAX_LINE_CHARACTERS && !head.includes('\n'))
      head += chunk.toString('utf8', 0, MAX_LINE_CHARACTERS);
  });
  return () => head.split('\n', 1)[0] ?? '';
}
