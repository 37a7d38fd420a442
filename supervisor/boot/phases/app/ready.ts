/** Gathers what the daemon serves with: the public routes, and what is probed from now on. */
import { appIngressRoutes } from '../../../app-routes.ts';
import type { Served } from '../../../serving.ts';
import type { Phase } from '../../phase.ts';
import type { ClockKept } from '../clock-kept.ts';
import type { RequestsReady } from '../requests.ts';
import type { AppConfigured } from './configuration.ts';
import type { AppEgressReady } from './egress.ts';
import type { AppIngressReady } from './ingress.ts';
import type { KmsProxyReady } from './kms-proxy.ts';

type Needs = Pick<AppConfigured, 'config'> &
  AppIngressReady &
  RequestsReady &
  ClockKept &
  AppEgressReady &
  KmsProxyReady;

export const appReadyPhase: Phase<Needs, Served> = {
  name: 'ready',
  deadlineMs: ({ config }) => config.deadlines.readyMs,
  async run({ config, fleet, attestor, clockKeeper, endedPorts, httpEgress, kmsProxy }, { platform }) {
    return {
      publicRoutes: appIngressRoutes(platform, config, endedPorts),
      probeTargets: { members: () => fleet.essential },
      counting: [fleet, attestor, clockKeeper, httpEgress ?? [], kmsProxy ?? []].flat(),
    };
  },
};
