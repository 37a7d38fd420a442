/** Runs the supervisor of a simulated enclave until SIGTERM, or until its boot fails. */
import { resolve } from 'node:path';
import { locateAcraServer } from '../../acra/obtain/locate.ts';
import { STAND_IN_COMMAND } from '../../emulator/acra-server/command.ts';
import { systemClock } from '../../runtime/clock.ts';
import { systemRandom } from '../../runtime/random.ts';
import { RELEASE } from '../../runtime/release.ts';
import { Supervisor } from '../../supervisor/daemon.ts';
import { acraCacheFolder } from '../acra-cache.ts';
import { consoleLogger } from '../console-logger.ts';
import { CliError } from '../errors.ts';
import { simulatedPlatform } from '../simulated/platform.ts';
import { watchStopSignals } from '../until-signal.ts';

export interface SupervisorOptions {
  readonly enclave: string;
  readonly simulated?: string;
}

export async function runSupervisor({ enclave, simulated }: SupervisorOptions): Promise<void> {
  if (simulated === undefined) {
    throw new CliError('CLI_NOT_AN_ENCLAVE', 'this machine is not an enclave');
  }
  const folder = resolve(enclave);
  const acraProgram = await locateAcraServer({
    environment: process.env,
    cacheFolder: acraCacheFolder(process.env),
    standIn: STAND_IN_COMMAND,
  });
  const stop = watchStopSignals();
  const supervisor = new Supervisor({
    platform: await simulatedPlatform({ stateFolder: resolve(simulated), enclaveFolder: folder, acraProgram }),
    folder,
    acraProgram,
    release: RELEASE,
    clock: systemClock,
    random: systemRandom,
    console: consoleLogger,
  });
  stop.signal.addEventListener('abort', () => supervisor.requestStop('a signal arrived'), { once: true });
  const exit = await supervisor.run();
  stop.dispose();
  if (exit.kind === 'failed') throw exit.error;
}
