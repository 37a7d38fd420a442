/** First of all: the machine itself. Only PID 1 of an enclave has something to do here. */
import type { Machine } from '../../platform.ts';
import type { Phase } from '../phase.ts';

export interface MachineReady {
  /** A user, a folder and bounds for one child. */
  readonly confine: Machine['confine'];
  readonly openApplication: Machine['openApplication'];
}

export const machinePhase: Phase<object, MachineReady> = {
  name: 'machine',
  deadlineMs: () => 10_000,
  async run(_have, { platform, logger, defer }) {
    const machine = await platform.prepareMachine(logger);
    defer(() => machine.stop());
    return { confine: machine.confine, openApplication: machine.openApplication };
  },
};
