/**
 * How PostgreSQL's programs are run: never as root, which they refuse, with an environment of their own, and (where
 * setpriv can ask the kernel for it) so that the server ends with the process that started it, however that ends.
 */
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, constants } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { EmulatorError } from '../errors.ts';

/**
 * The user `nobody` of Debian. Files stay reachable under folders that only root may enter: cap_dac_override, and
 * no_setuid_fixup, without which access(2) sets the capability aside for any user but root.
 */
const UNPRIVILEGED = [
  '--securebits=+no_setuid_fixup',
  '--reuid=65534',
  '--regid=65534',
  '--clear-groups',
  '--inh-caps=+dac_override',
  '--ambient-caps=+dac_override',
];

/** SIGINT asks the server for its fast shutdown; SIGTERM would wait for its clients. */
const DEATH_SIGNAL = '--pdeathsig=INT';

export interface Command {
  readonly program: string;
  readonly args: readonly string[];
}

async function findSetpriv(): Promise<string | undefined> {
  const { PATH = '' } = process.env;
  for (const folder of PATH.split(delimiter)) {
    const path = join(folder, 'setpriv');
    if (
      await access(path, constants.X_OK).then(
        () => true,
        () => false,
      )
    )
      return path;
  }
  return undefined;
}

/** @throws EmulatorError EMULATOR_POSTGRES_PRIVILEGES */
async function withoutPrivileges({ program, args }: Command): Promise<Command> {
  const isRoot = process.getuid?.() === 0;
  const setpriv = await findSetpriv();
  if (setpriv !== undefined) {
    const switches = isRoot ? [...UNPRIVILEGED, DEATH_SIGNAL] : [DEATH_SIGNAL];
    return { program: setpriv, args: [...switches, '--', program, ...args] };
  }
  if (!isRoot) return { program, args };
  throw new EmulatorError('EMULATOR_POSTGRES_PRIVILEGES', 'PostgreSQL cannot be started as root without setpriv');
}

export interface Surroundings {
  /** A folder that the unprivileged user may stand in. */
  readonly folder: string;
  readonly libraryPath: string | undefined;
}

/** Standard input and error are pipes; standard output is dropped. @throws EmulatorError EMULATOR_POSTGRES_PRIVILEGES */
export async function spawnUnprivileged(command: Command, surroundings: Surroundings): Promise<ChildProcess> {
  const { program, args } = await withoutPrivileges(command);
  const { PATH } = process.env;
  return spawn(program, args, {
    cwd: surroundings.folder,
    stdio: ['pipe', 'ignore', 'pipe'],
    env: {
      PATH,
      LC_ALL: 'C',
      TZ: 'UTC',
      ...(surroundings.libraryPath === undefined ? {} : { LD_LIBRARY_PATH: surroundings.libraryPath }),
    },
  });
}

export interface Run extends Surroundings {
  readonly command: Command;
  readonly input: string;
  readonly signal: AbortSignal;
}

/** Runs a program to its end. @throws EmulatorError EMULATOR_POSTGRES_SETUP with its error output; the signal's reason */
export async function runUnprivileged({ command, input, signal, ...surroundings }: Run): Promise<void> {
  signal.throwIfAborted();
  const child = await spawnUnprivileged(command, surroundings);
  const kill = () => child.kill('SIGKILL');
  signal.addEventListener('abort', kill, { once: true });
  try {
    child.stdin?.on('error', () => undefined).end(input);
    const [errors, [code]] = await Promise.all([child.stderr === null ? '' : text(child.stderr), once(child, 'close')]);
    if (code !== 0) throw new EmulatorError('EMULATOR_POSTGRES_SETUP', `exit code ${code}: ${errors.trim()}`);
  } catch (error) {
    signal.throwIfAborted();
    throw new EmulatorError('EMULATOR_POSTGRES_SETUP', `${command.program} failed`, { cause: error });
  } finally {
    signal.removeEventListener('abort', kill);
  }
}
