/** Runs the daemon on the parent instance until SIGTERM. */
import { resolve } from 'node:path';
import { hostProxySchema } from '../../config/host-proxy.ts';
import { loadConfig } from '../../config/load.ts';
import { HostProxy } from '../../host-proxy/daemon.ts';
import { whenAborted } from '../../runtime/abort.ts';
import { systemClock } from '../../runtime/clock.ts';
import { untilStopped } from '../until-signal.ts';

export async function runHostProxy(file: string): Promise<void> {
  const config = loadConfig(hostProxySchema, resolve(file));
  await untilStopped(async (signal) => {
    const daemon = new HostProxy(config, systemClock);
    await daemon.start(signal);
    const failure = await Promise.race([whenAborted(signal), daemon.whenFailed()]);
    await daemon.stop();
    if (failure) throw failure;
  });
}
