/**
 * The tiny program between the supervisor and acra-server. acra-server takes its master key only from the environment
 * (acra-server contract 1.1), and an environment is made of strings; so the string is made here, in a process image that
 * `execve` replaces a moment later. The pid stays, the parent's Buffer never becomes text.
 *
 * argv[2] is the plan as JSON (nothing secret); file descriptor 3 delivers exactly 32 raw key bytes.
 */
import { closeSync, readSync } from 'node:fs';
import koffi from 'koffi';
import { forbidVsock } from '../libc/forbid-vsock.ts';

const KEY_FD = 3;
const KEY_BYTES = 32;
/** EX_CONFIG of sysexits.h: the supervisor reports it as a failed launch. */
const EXIT_BAD_HANDOVER = 78;

/** linux/prctl.h, asm-generic/resource.h */
const PR_SET_PDEATHSIG = 1;
const PR_SET_NO_NEW_PRIVS = 38;
const SIGKILL = 9;
const RLIMIT_CORE = 4;

interface LaunchPlan {
  readonly program: string;
  readonly arguments: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly keyVariable: string;
}

/** acra-server dies with the supervisor, gains no privileges, leaves no core dump and cannot dial the parent. Survives execve. */
function restrictProcess(): void {
  const libc = koffi.load('libc.so.6');
  const prctl = libc.func('int prctl(int, unsigned long, unsigned long, unsigned long, unsigned long)');
  const setrlimit = libc.func('int setrlimit(int, void *)');
  prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  setrlimit(RLIMIT_CORE, Buffer.alloc(16));
  if (forbidVsock()) return;
  process.stderr.write('launcher: AF_VSOCK could not be taken away\n');
  process.exit(EXIT_BAD_HANDOVER);
}

function readKey(): Buffer | undefined {
  const key = Buffer.allocUnsafeSlow(KEY_BYTES + 1);
  let length = 0;
  while (length < key.length) {
    const read = readSync(KEY_FD, key, length, key.length - length, null);
    if (read === 0) break;
    length += read;
  }
  closeSync(KEY_FD);
  return length === KEY_BYTES ? key.subarray(0, KEY_BYTES) : undefined;
}

function launch(plan: LaunchPlan): void {
  restrictProcess();
  const key = readKey();
  if (!key) {
    process.stderr.write('launcher: the master key did not arrive\n');
    process.exit(EXIT_BAD_HANDOVER);
  }
  const environment = { ...plan.environment, [plan.keyVariable]: key.toString('base64') };
  key.fill(0);
  process.execve?.(plan.program, [plan.program, ...plan.arguments], environment);
}

launch(JSON.parse(process.argv[2] ?? '') as LaunchPlan);
