/** `acra-enclave run`: the parent's daemon with the enclave that it starts, until SIGTERM or `acra-enclave stop`. */

import { resolve } from 'node:path';
import { stderr } from 'node:process';
import { Command } from 'commander';
import { hostProxySchema } from '../../config/host-proxy.ts';
import { loadConfig } from '../../config/load.ts';
import { EnclaveHost } from '../../host-proxy/enclave-host.ts';
import { serviceManager } from '../../host-proxy/systemd/notify.ts';
import { systemClock } from '../../runtime/clock.ts';
import { describeError, errorCode } from '../../runtime/errors.ts';
import { systemRandom } from '../../runtime/random.ts';
import { progress } from '../output.ts';
import { watchStopSignals } from '../until-signal.ts';

async function runEnclave({ config: file }: { readonly config: string }): Promise<void> {
  const manager = serviceManager(process.env, systemClock);
  const stop = watchStopSignals();
  try {
    const config = loadConfig(hostProxySchema, resolve(file));
    const host = new EnclaveHost({
      config,
      clock: systemClock,
      random: systemRandom,
      serviceManager: manager,
      onProgress: (text) => stderr.isTTY && progress(`enclave: ${text}`),
    });
    await host.run(stop.signal);
  } catch (error) {
    manager.status(`${errorCode(error) ?? 'unexpected'}: ${describeError(error)}`);
    throw error;
  } finally {
    manager.stopping();
    manager.close();
    stop.dispose();
  }
}

export function runCommand(): Command {
  return new Command('run')
    .description(
      'Start the enclave and keep it running: opens the routes, boots the image, starts it again when it fails.',
    )
    .requiredOption('-c, --config <file>', 'host-proxy.yaml with a section enclave.run')
    .addHelpText(
      'after',
      '\nEnds with code 0 after an ordered stop, with 1 and the reason when the enclave is not started again.',
    )
    .action(runEnclave);
}
