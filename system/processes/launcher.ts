/**
 * The tiny program between a daemon and its child. Some programs take secrets only from the environment (acra-server contract
 * 1.1), and an environment is made of strings; so the strings are made here, in a process image that `execve` replaces a
 * moment later. The pid stays, the parent's Buffers never become text.
 *
 * The arguments are the plan (nothing secret). Descriptor 3 delivers the secrets' bytes one after another and their end; what
 * fails is written back on it. It closes with execve.
 */
import { readSync, writeSync } from 'node:fs';
import { getSystemErrorName } from 'node:util';
import koffi from 'koffi';
import { forbidVsock } from '../libc/forbid-vsock.ts';
import { ignoreRealtimeSignals } from '../libc/ignore-signals.ts';
import { candidatesOf } from './candidates.ts';
import { enterPlace } from './launch-place.ts';
import type { LaunchFailure, LaunchPlan } from './launch-plan.ts';
import {
  ABOUT_TO_RUN,
  CHANNEL_FD,
  decodePlan,
  encodeLaunchFailure,
  HANDOVER_FD,
  SECRET_LENGTH_BYTES,
} from './launch-plan.ts';

/** EX_OSERR of sysexits.h. What it stands for is told on the descriptor. */
const EXIT_NOT_LAUNCHED = 71;

/** linux/prctl.h, asm-generic/resource.h, asm-generic/ioctls.h */
const PR_SET_PDEATHSIG = 1;
const PR_SET_NO_NEW_PRIVS = 38;
const SIGKILL = 9;
const RLIMIT_CORE = 4;
const FIONCLEX = 0x5450;
const FIOCLEX = 0x5451;

function give(failure: LaunchFailure): never {
  writeSync(HANDOVER_FD, encodeLaunchFailure(failure));
  process.exit(EXIT_NOT_LAUNCHED);
}

/** The child dies with the daemon, gains no privileges, leaves no core dump and cannot dial the parent. Survives execve. */
function restrictProcess({ hasChannel, umask, place }: LaunchPlan): void {
  const libc = koffi.load(null);
  const prctl = libc.func('int prctl(int, unsigned long, unsigned long, unsigned long, unsigned long)');
  const setrlimit = libc.func('int setrlimit(int, void *)');
  const ioctl = libc.func('int ioctl(int, unsigned long, void *)');
  const must = (result: number) => {
    if (result === -1) give({ step: 'restrict', errno: getSystemErrorName(-koffi.errno()) });
  };
  must(ioctl(HANDOVER_FD, FIOCLEX, null));
  if (hasChannel) must(ioctl(CHANNEL_FD, FIONCLEX, null));
  if (umask !== undefined) process.umask(umask);
  must(prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0));
  must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
  must(setrlimit(RLIMIT_CORE, Buffer.alloc(16)));
  if (!forbidVsock()) give({ step: 'restrict', errno: null });
  if (place !== undefined && !ignoreRealtimeSignals()) give({ step: 'restrict', errno: null });
}

/** To the end of the stream, in a buffer that is doubled as it fills; what was outgrown is zeroed. */
function readHandover(): Buffer {
  let bytes = Buffer.allocUnsafeSlow(4096);
  for (let length = 0; ; ) {
    const read = readSync(HANDOVER_FD, bytes, length, bytes.length - length, null);
    if (read === 0) return bytes.subarray(0, length);
    length += read;
    if (length < bytes.length) continue;
    const larger = Buffer.allocUnsafeSlow(2 * bytes.length);
    bytes.copy(larger);
    bytes.fill(0);
    bytes = larger;
  }
}

/** A byte too many is as wrong as one too few. */
function secretVariables(secrets: LaunchPlan['secrets']): Record<string, string> {
  const bytes = readHandover();
  let at = 0;
  const variables = secrets.map(({ variable, encoding }) => {
    const start = at + SECRET_LENGTH_BYTES;
    if (start > bytes.length) give({ step: 'secrets', errno: null });
    at = start + bytes.readUInt32BE(at);
    if (at > bytes.length) give({ step: 'secrets', errno: null });
    return [variable, bytes.toString(encoding, start, at)] as const;
  });
  if (at !== bytes.length) give({ step: 'secrets', errno: null });
  bytes.fill(0);
  return Object.fromEntries(variables);
}

function launch(plan: LaunchPlan): void {
  if (plan.place !== undefined) enterPlace(plan.place, give);
  restrictProcess(plan);
  const environment = { ...plan.environment, ...secretVariables(plan.secrets) };
  writeSync(HANDOVER_FD, ABOUT_TO_RUN);
  const candidates = plan.place === undefined ? [plan.program] : candidatesOf(plan.program, environment['PATH']);
  let errno: string | null = null;
  for (const path of candidates) {
    const failure = execute(path, [plan.program, ...plan.arguments], environment);
    // As execvp(3): what is there and may not be executed is told, unless a later folder has one that may.
    if (errno === null || errno === 'ENOENT') errno = failure;
    if (failure === null || !LOOKED_FURTHER.has(failure)) break;
  }
  give({ step: 'execute', errno });
}

const LOOKED_FURTHER: ReadonlySet<string> = new Set(['ENOENT', 'ENOTDIR', 'EACCES']);

/** Returns only where it fails. */
function execute(path: string, words: readonly string[], environment: Record<string, string>): string | null {
  try {
    process.execve?.(path, [...words], environment);
    return null;
  } catch (error) {
    // Node does not name every error (E2BIG comes without a code); the number is always there.
    const { errno } = error as NodeJS.ErrnoException;
    return errno === undefined ? null : getSystemErrorName(-Math.abs(errno));
  }
}

launch(decodePlan(process.argv.slice(2)));
