/**
 * The life of an enclave: the supervisor as PID 1 (or as the program of nitro-cli's init), from the first instruction in
 * user space to the end of the machine. However it ends, the reason is said first, on the console and to the parent.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AcraProgram } from '../acra/obtain/program.ts';
import { workloadOf } from '../config/any-enclave.ts';
import { systemClock } from '../runtime/clock.ts';
import { describeError, errorCode } from '../runtime/errors.ts';
import { systemRandom } from '../runtime/random.ts';
import { RELEASE } from '../runtime/release.ts';
import { giveBackMemorySoon } from '../system/libc/give-back-memory.ts';
import { endMachine } from '../system/libc/machine-calls.ts';
import { ACRA_PROGRAM_PATH, ENCLAVE_FOLDER } from '../wire/image-layout.ts';
import type { BootTable } from './boot/phase.ts';
import { Supervisor } from './daemon.ts';
import { drainConsole, machineConsole } from './machine/console.ts';
import { isInit } from './machine/init.ts';
import type { Platform } from './platform.ts';
import type { Serving } from './serving.ts';
import { watched } from './watchdog/watchdog.ts';

const EXIT_FAILED = 1;
const ENDING_SIGNALS = ['SIGTERM', 'SIGINT', 'SIGQUIT', 'SIGHUP'] as const;

/**
 * Returns only if even ending the machine fails.
 * @param table default: the product’s own for the workload of this enclave
 */
export async function runEnclave(platform: Platform, table?: BootTable<Serving>): Promise<void> {
  try {
    await supervise(platform, table);
  } catch (error) {
    end(EXIT_FAILED, describeError(error), errorCode(error));
  }
}

async function supervise(platform: Platform, table: BootTable<Serving> | undefined): Promise<void> {
  const folder = join('/', ENCLAVE_FOLDER);
  const supervisor = new Supervisor({
    platform,
    folder,
    acraProgram: acraProgramFor(folder),
    release: RELEASE,
    clock: systemClock,
    random: systemRandom,
    console: machineConsole,
    onServing: giveBackMemorySoon,
    ...(table === undefined ? {} : { table }),
  });
  endOnPanic(supervisor);
  // An init may tell us to stop; as PID 1 we hear it only from ourselves.
  for (const name of ENDING_SIGNALS) process.on(name, () => supervisor.requestStop(`received ${name}`));
  const exit = await watched(() => supervisor.run());
  if (exit.kind === 'stopped') end(0, 'stopped in order');
  else end(EXIT_FAILED, describeError(exit.error), errorCode(exit.error));
}

function acraProgramFor(folder: string): AcraProgram | undefined {
  if (workloadOf(join(folder, 'enclave.yaml')) === 'app') return undefined;
  return JSON.parse(readFileSync(join('/', ACRA_PROGRAM_PATH), 'utf8')) as AcraProgram;
}

/** Whatever nobody caught leaves a supervisor that can no longer be trusted to supervise: it ends, and the machine with it. */
function endOnPanic(supervisor: Supervisor): void {
  let panicked = false;
  const onPanic = (error: unknown) => {
    const reason = `panic: ${describeError(error)}`;
    if (panicked) end(EXIT_FAILED, reason, 'SUPERVISOR_PANIC');
    panicked = true;
    supervisor.lastWords(error).finally(() => end(EXIT_FAILED, reason, 'SUPERVISOR_PANIC'));
  };
  process.on('uncaughtException', onPanic);
  process.on('unhandledRejection', onPanic);
}

function end(code: number, reason: string, errorCode?: string): void {
  machineConsole.log(code === 0 ? 'info' : 'fatal', 'machine.ending', {
    reason,
    ...(errorCode === undefined ? {} : { code: errorCode }),
  });
  drainConsole();
  if (isInit()) endMachine();
  process.exit(code);
}
