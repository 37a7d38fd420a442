/** The driver that host-proxy.yaml asks for; its schema lets each transport have only the driver that fits it. */

import type { EnclaveRun } from '../../config/enclave-run.ts';
import type { HostProxyConfig } from '../../config/host-proxy.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Logger } from '../../runtime/log.ts';
import { HostProxyError } from '../errors.ts';
import type { ConsoleSink, EnclaveDriver } from './driver.ts';
import { NitroCliDriver } from './nitro-cli/driver.ts';
import { QemuDriver } from './qemu/driver.ts';

export interface DriverDeps {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly console: ConsoleSink;
}

export interface DriverChoice {
  readonly run: EnclaveRun;
  readonly driver: EnclaveDriver;
}

/** @throws HostProxyError HOST_RUN_MISSING */
export function createDriver({ enclave, runtimeFolder }: HostProxyConfig, deps: DriverDeps): DriverChoice {
  if (enclave.run === undefined) {
    throw new HostProxyError('HOST_RUN_MISSING', 'host-proxy.yaml does not say how to start the enclave', {
      allowed: 'a section enclave.run',
    });
  }
  if (enclave.transport === 'vsock') {
    const { run, cid } = enclave;
    return { run, driver: new NitroCliDriver({ ...deps, run, cid }) };
  }
  const { run, cid, path: vsockPath } = enclave;
  return { run, driver: new QemuDriver({ ...deps, run, cid, vsockPath, runtimeFolder }) };
}
