/** Starts the application's programs in their order: each is ready, and each task done, before those that come after it start. */
import { programsStopMs } from '../../../../config/app/stop-time.ts';
import { Programs } from '../../../workloads/app/programs.ts';
import type { Phase } from '../../phase.ts';
import type { ApplicationReady } from './application.ts';
import type { AppConfigured } from './configuration.ts';
import type { AppEgressReady } from './egress.ts';
import type { KmsProxyReady } from './kms-proxy.ts';

export interface ProgramsReady {
  readonly programs: Programs;
}

type Needs = ApplicationReady & AppEgressReady & KmsProxyReady & Pick<AppConfigured, 'config'>;

export const programsPhase: Phase<Needs, ProgramsReady> = {
  name: 'programs',
  deadlineMs: ({ config }) => config.deadlines.programsMs,
  async run({ config, application, kmsProxyEnvironment, egressEnvironment }, context) {
    const { clock, random, logger, outputLog, signal, defer, fail, stop } = context;
    const programs = new Programs({
      config,
      application,
      environment: { ...egressEnvironment, ...kmsProxyEnvironment },
      clock,
      random,
      logger,
      outputLog,
      onFailure: fail,
      onEnd: stop,
    });
    defer(() => programs.stop(), programsStopMs(config));
    await programs.start(signal);
    return { programs };
  },
};
