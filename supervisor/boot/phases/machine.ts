/** First of all: the machine itself. Only PID 1 of an enclave has something to do here. */
import type { Confinement } from '../../platform.ts';
import type { Phase } from '../phase.ts';

export interface MachineReady {
  readonly confinement: Confinement;
}

export const machinePhase: Phase<object, MachineReady> = {
  name: 'machine',
  deadlineMs: () => 10_000,
  async run(_have, { platform, logger, defer }) {
    const machine = await platform.prepareMachine(logger);
    defer(() => machine.stop());
    return { confinement: machine.confinement };
  },
};
