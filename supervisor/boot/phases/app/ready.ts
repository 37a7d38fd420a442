/** Gathers what the daemon serves with: the public routes, and what is probed from now on. */
import type { UnixEndpoint } from '../../../../wire/endpoint.ts';
import { appIngressRoutes } from '../../../app-routes.ts';
import type { Served } from '../../../serving.ts';
import type { Phase } from '../../phase.ts';
import type { ClockKept } from '../clock-kept.ts';
import type { RequestsReady } from '../requests.ts';
import type { AppConfigured } from './configuration.ts';
import type { AppEgressReady } from './egress.ts';
import type { ProgramsReady } from './programs.ts';

type Needs = Pick<AppConfigured, 'config'> &
  ProgramsReady &
  RequestsReady &
  ClockKept &
  AppEgressReady & {
    /** Where TLS ends in the enclave: what takes connections of each such port. */
    readonly endedTls?: ReadonlyMap<string, UnixEndpoint>;
  };

const NONE: ReadonlyMap<string, UnixEndpoint> = new Map();

export const appReadyPhase: Phase<Needs, Served> = {
  name: 'ready',
  deadlineMs: ({ config }) => config.deadlines.readyMs,
  async run({ config, fleet, attestor, clockKeeper, endedTls, httpEgress }, { platform }) {
    return {
      publicRoutes: appIngressRoutes(platform, config, endedTls ?? NONE),
      probeTargets: { members: () => fleet.essential },
      counting: [fleet, attestor, clockKeeper, httpEgress ?? []].flat(),
    };
  },
};
