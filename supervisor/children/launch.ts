/** Starts acra-server through the launcher and hands the master key over on a pipe (launcher.ts). */

import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import type { Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { AcraProgram } from '../../acra/obtain/program.ts';
import { MASTER_KEY_VARIABLE } from '../../acra/server/environment.ts';
import type { SecretBuffer } from '../../runtime/secret-buffer.ts';
import { SupervisorError } from '../../supervisor/errors.ts';
import { nodeChildEnvironment } from '../../system/processes/node-child.ts';
import { markOwnChild } from '../../system/processes/own-children.ts';

/** Where the launcher reads the key. */
const KEY_DESCRIPTOR = 3;
const LAUNCHER = fileURLToPath(new URL('../../system/processes/launcher.ts', import.meta.url));

export interface LaunchSpec {
  readonly program: AcraProgram;
  readonly arguments: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly masterKey: SecretBuffer;
  readonly user: { readonly uid: number; readonly gid: number } | undefined;
  /** Called with the new process before the key is handed over: nothing of acra-server has run by then. */
  readonly enclose: (pid: number) => void;
}

/** @throws SupervisorError CHILD_LAUNCH_FAILED when no process could be made. */
export function launchAcra(spec: LaunchSpec): ChildProcess {
  const plan = {
    program: spec.program.program,
    arguments: [...spec.program.leadingArguments, ...spec.arguments],
    environment: spec.environment,
    keyVariable: MASTER_KEY_VARIABLE,
  };
  const child = markOwnChild(spawnLauncher(spec.user, JSON.stringify(plan)));
  if (child.pid === undefined) {
    child.on('error', () => undefined);
    throw new SupervisorError('CHILD_LAUNCH_FAILED', 'no process could be made for acra-server');
  }
  const keyPipe = child.stdio[KEY_DESCRIPTOR] as Writable;
  keyPipe.on('error', () => undefined);
  try {
    spec.enclose(child.pid);
  } catch (cause) {
    child.kill('SIGKILL');
    throw new SupervisorError('CHILD_LAUNCH_FAILED', 'acra-server could not be confined', { cause });
  }
  spec.masterKey.use((bytes) => keyPipe.end(bytes));
  return child;
}

function spawnLauncher(user: LaunchSpec['user'], plan: string): ChildProcess {
  return spawn(process.execPath, ['--disable-warning=ExperimentalWarning', LAUNCHER, plan], {
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    env: nodeChildEnvironment(),
    detached: true,
    ...user,
  });
}
