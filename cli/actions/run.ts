/** Runs host-proxy and the enclave until SIGTERM, `acra-enclave stop`, or an end that is not to be mended. */
import { resolve } from 'node:path';
import { stderr } from 'node:process';
import { hostProxySchema } from '../../config/host-proxy.ts';
import { loadConfig } from '../../config/load.ts';
import { EnclaveHost } from '../../host-proxy/enclave-host.ts';
import { serviceManager } from '../../host-proxy/systemd/notify.ts';
import { systemClock } from '../../runtime/clock.ts';
import { describeError, errorCode } from '../../runtime/errors.ts';
import { systemRandom } from '../../runtime/random.ts';
import { progress } from '../output.ts';
import { watchStopSignals } from '../until-signal.ts';

export async function runEnclave(file: string): Promise<void> {
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
