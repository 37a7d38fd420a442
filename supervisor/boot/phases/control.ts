/** First of all: relay, log and status channel, so that whatever fails later can be told. */
import { join } from 'node:path';
import { anyEnclaveSchema } from '../../../config/any-enclave.ts';
import { loadConfig } from '../../../config/load.ts';
import { Relay } from '../../../relay/relay.ts';
import type { VsockPort } from '../../../wire/brands.ts';
import { toVsockPort } from '../../../wire/brands.ts';
import { VSOCK_PORTS } from '../../../wire/routes.ts';
import { controlRoute } from '../../routes.ts';
import type { Phase } from '../phase.ts';
import type { BootStart } from '../start.ts';

export interface ControlReady {
  readonly relay: Relay;
}

/** A configuration that is broken must still be reported, over the port that it would have named or the usual one. */
function controlPort(folder: string): VsockPort {
  try {
    return loadConfig(anyEnclaveSchema, join(folder, 'enclave.yaml')).ports.control;
  } catch {
    return toVsockPort(VSOCK_PORTS.control);
  }
}

export const controlPhase: Phase<BootStart, ControlReady> = {
  name: 'control',
  deadlineMs: () => 60_000,
  async run({ folder, control }, { platform, logger, signal, defer, fail }) {
    const relay = new Relay({ logger });
    await relay.start(signal);
    defer(() => relay.stop());
    // Every later phase speaks through it; without this they would wait for their deadlines and blame the parent.
    relay.whenFailed.then(fail);
    await relay.addRoute(controlRoute(platform, controlPort(folder)));
    await control.start(signal);
    defer(() => control.stop());
    return { relay };
  },
};
