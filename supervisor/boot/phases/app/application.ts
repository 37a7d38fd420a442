/** The application's file system is fit for its programs: what they need is mounted below it, and nothing of ours can be seen from there. */
import type { Application } from '../../../platform.ts';
import type { Phase } from '../../phase.ts';
import type { MachineReady } from '../machine.ts';

export interface ApplicationReady {
  readonly application: Application;
}

export const applicationPhase: Phase<MachineReady, ApplicationReady> = {
  name: 'application',
  deadlineMs: () => 10_000,
  run: async ({ openApplication }, { logger }) => ({ application: openApplication(logger) }),
};
