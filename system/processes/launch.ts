/**
 * Starts a program with secrets in its environment, through a launcher that turns itself into it (launcher.ts). The secrets never
 * become text in this process: they go over a pipe, after the new process has been confined and before anything of the
 * program has run. Over the same pipe comes why the program could not be started.
 */
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { closeSync } from 'node:fs';
import type { Duplex, Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { errorCode } from '../../runtime/errors.ts';
import type { SecretBuffer } from '../../runtime/secret-buffer.ts';
import { SystemError } from '../errors.ts';
import { makePipe, type Pipe } from '../libc/pipe.ts';
import type { Confinement } from './confinement.ts';
import type { LaunchFailure, LaunchPlace, LaunchPlan, SecretEncoding } from './launch-plan.ts';
import { CHANNEL_FD, encodePlan, HANDOVER_FD, parseLaunchFailure, SECRET_LENGTH_BYTES } from './launch-plan.ts';
import { nodeChildEnvironment } from './node-child.ts';
import { markOwnChild } from './own-children.ts';

const LAUNCHER = fileURLToPath(new URL('./launcher.ts', import.meta.url));
/** Standard output and error. */
const OUTPUTS = 2;

export interface Secret {
  /** The variable of the child's environment. */
  readonly variable: string;
  readonly value: SecretBuffer;
  readonly encoding: SecretEncoding;
}

export interface LaunchSpec {
  /** Absolute path; with a place also a name that is looked for. */
  readonly program: string;
  readonly arguments: readonly string[];
  /** The whole of it, apart from the secrets: nothing is inherited. */
  readonly environment: Readonly<Record<string, string>>;
  readonly secrets: readonly Secret[];
  readonly confinement: Pick<Confinement, 'user' | 'enclose'>;
  /** For a program of ours: the daemon's end of its channel is `Launched.channel` (channel.ts). Default: none. */
  readonly hasChannel?: boolean;
  /** Of all files and sockets that it makes; default: the daemon's. */
  readonly umask?: number;
  /** For a program that is not ours; the launcher becomes its user then, and `confinement.user` is left out. */
  readonly place?: LaunchPlace;
}

export interface Launched {
  readonly process: ChildProcess;
  readonly pid: number;
  /** Standard output and error. Must be read: a program whose output nobody reads blocks. */
  readonly output: readonly Readable[];
  /** Resolves when the launcher is no more: with the reason where there was none, or it could not become the program. */
  readonly failure: Promise<LaunchFailure | undefined>;
  readonly channel: Duplex | undefined;
}

/** @throws SystemError SYSTEM_LAUNCH_FAILED when the kernel refuses a process at once, or it could not be confined */
export function launch(spec: LaunchSpec): Launched {
  const plan: LaunchPlan = {
    program: spec.program,
    arguments: spec.arguments,
    environment: spec.environment,
    secrets: spec.secrets.map(({ variable, encoding }) => ({ variable, encoding })),
    hasChannel: spec.hasChannel === true,
    ...(spec.umask === undefined ? {} : { umask: spec.umask }),
    ...(spec.place === undefined ? {} : { place: spec.place }),
  };
  const pipes = pipesFor(spec.place);
  const child = spawnLauncher(spec, encodePlan(plan), pipes);
  const output = pipes?.map(({ reader }) => reader) ?? [child.stdout, child.stderr].filter((stream) => stream !== null);
  const { pid } = child;
  if (pid === undefined) return { process: child, pid: 0, output, failure: notMade(child), channel: undefined };
  const handover = child.stdio[HANDOVER_FD] as Duplex;
  handover.on('error', () => undefined);
  try {
    spec.confinement.enclose(pid);
  } catch (cause) {
    child.kill('SIGKILL');
    for (const stream of output) stream.destroy();
    throw new SystemError('SYSTEM_LAUNCH_FAILED', `${spec.program} could not be confined`, { cause });
  }
  for (const { value } of spec.secrets) value.use((bytes) => writeSecret(handover, bytes));
  handover.end();
  const channel = (child.stdio as readonly unknown[])[CHANNEL_FD] as Duplex | undefined;
  return { process: child, pid, output, failure: readFailure(handover), channel };
}

/** Programs that are not ours open them by their names, too; undefined: those that Node makes. */
function pipesFor(place: LaunchPlace | undefined): readonly Pipe[] | undefined {
  if (place === undefined) return undefined;
  const pipes: Pipe[] = [];
  try {
    for (let made = 0; made < OUTPUTS; made += 1) pipes.push(makePipe(place.user));
    return pipes;
  } catch (cause) {
    for (const { reader, writeFd } of pipes) {
      reader.destroy();
      closeSync(writeFd);
    }
    throw new SystemError('SYSTEM_LAUNCH_FAILED', 'no pipes could be made for a program', { cause });
  }
}

function writeSecret(handover: Duplex, bytes: Buffer): void {
  const length = Buffer.alloc(SECRET_LENGTH_BYTES);
  length.writeUInt32BE(bytes.length);
  handover.write(length);
  handover.write(bytes);
}

function spawnLauncher(
  { program, confinement, hasChannel }: LaunchSpec,
  plan: readonly string[],
  pipes: readonly Pipe[] | undefined,
): ChildProcess {
  const [stdout, stderr] = pipes?.map(({ writeFd }) => writeFd) ?? [];
  try {
    return markOwnChild(
      spawn(process.execPath, ['--disable-warning=ExperimentalWarning', LAUNCHER, ...plan], {
        stdio: ['ignore', stdout ?? 'pipe', stderr ?? 'pipe', 'pipe', ...(hasChannel ? (['pipe'] as const) : [])],
        env: nodeChildEnvironment(),
        detached: true,
        ...confinement.user,
      }),
    );
  } catch (cause) {
    for (const { reader } of pipes ?? []) reader.destroy();
    throw new SystemError('SYSTEM_LAUNCH_FAILED', `no process could be made for ${program}`, { cause });
  } finally {
    for (const { writeFd } of pipes ?? []) closeSync(writeFd);
  }
}

/** Node tells of some refusals at once, and of others a moment later. */
function notMade(child: ChildProcess): Promise<LaunchFailure> {
  return new Promise((resolve) => {
    child.once('error', (error) => resolve({ step: 'make', errno: errorCode(error) ?? null }));
  });
}

/** The pipe closes when the launcher has become the program: it is not inherited. */
function readFailure(handover: Duplex): Promise<LaunchFailure | undefined> {
  return new Promise((resolve) => {
    const parts: Buffer[] = [];
    handover.on('data', (part: Buffer) => parts.push(part));
    handover.once('close', () => resolve(parseLaunchFailure(Buffer.concat(parts).toString('utf8'))));
  });
}
