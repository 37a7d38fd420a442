/** `acra-enclave run`: the parent's daemon with the enclave that it starts, until a signal or `acra-enclave stop` ends it. */

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
import { untilStopped } from '../until-signal.ts';

async function runEnclave({ config: file }: { readonly config: string }): Promise<void> {
  const manager = serviceManager(process.env, systemClock);
  try {
    const config = loadConfig(hostProxySchema, resolve(file));
    const host = new EnclaveHost({
      config,
      clock: systemClock,
      random: systemRandom,
      serviceManager: manager,
      onProgress: (text) => stderr.isTTY && progress(`enclave: ${text}`),
    });
    await untilStopped((signal) => host.run(signal), { onHangUp: () => host.reopenLogs() });
  } catch (error) {
    manager.status(`${errorCode(error) ?? 'unexpected'}: ${describeError(error)}`);
    throw error;
  } finally {
    manager.stopping();
    manager.close();
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
      '\nEnds with code 0 after an ordered stop, with 1 and the reason when the enclave is not started again.' +
        '\nSIGHUP opens its log files anew; in a terminal it ends like every other signal.',
    )
    .action(runEnclave);
}
