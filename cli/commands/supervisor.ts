/** `acra-enclave supervisor`: the daemon in the enclave; here for laptops, where an enclave is simulated. */

import { join, resolve } from 'node:path';
import { Command } from 'commander';
import { locateAcraServer } from '../../acra/obtain/locate.ts';
import type { AcraProgram } from '../../acra/obtain/program.ts';
import { workloadOf } from '../../config/any-enclave.ts';
import { STAND_IN_COMMAND } from '../../emulator/acra-server/command.ts';
import { systemClock } from '../../runtime/clock.ts';
import { systemRandom } from '../../runtime/random.ts';
import { RELEASE } from '../../runtime/release.ts';
import { Supervisor } from '../../supervisor/daemon.ts';
import { watched } from '../../supervisor/watchdog/watchdog.ts';
import { giveBackMemorySoon } from '../../system/libc/give-back-memory.ts';
import { userCacheFolder } from '../cache-folder.ts';
import { consoleLogger } from '../console-logger.ts';
import { CliError } from '../errors.ts';
import { simulatedPlatform } from '../simulated/platform.ts';
import { untilStopped } from '../until-signal.ts';

interface SupervisorOptions {
  readonly enclave: string;
  readonly simulated?: string;
}

async function runSupervisor({ enclave, simulated }: SupervisorOptions): Promise<void> {
  if (simulated === undefined) {
    throw new CliError('CLI_NOT_AN_ENCLAVE', 'this machine is not an enclave');
  }
  const folder = resolve(enclave);
  const acraProgram = workloadOf(join(folder, 'enclave.yaml')) === 'app' ? undefined : await acraServer();
  const supervisor = new Supervisor({
    platform: await simulatedPlatform({ stateFolder: resolve(simulated), enclaveFolder: folder, acraProgram }),
    folder,
    acraProgram,
    release: RELEASE,
    clock: systemClock,
    random: systemRandom,
    console: consoleLogger,
    onServing: giveBackMemorySoon,
  });
  const exit = await untilStopped((signal) => {
    signal.addEventListener('abort', () => supervisor.requestStop('a signal arrived'), { once: true });
    return watched(() => supervisor.run());
  });
  if (exit.kind === 'failed') throw exit.error;
}

function acraServer(): Promise<AcraProgram> {
  return locateAcraServer({
    environment: process.env,
    cacheFolder: userCacheFolder(process.env, 'acra-server'),
    standIn: STAND_IN_COMMAND,
  });
}

export function supervisorCommand(): Command {
  return new Command('supervisor')
    .description(
      'Run the supervisor of a simulated enclave: boots, fetches the master key, keeps acra-server (or other programs) alive.',
    )
    .requiredOption('-e, --enclave <folder>', 'the measured folder with enclave.yaml')
    .option('--simulated <folder>', 'simulate the enclave; its vsock, NSM and runtime files live in this folder')
    .addHelpText('after', '\nIn an enclave image the supervisor is PID 1 and takes no options.')
    .action(runSupervisor);
}
