/** Opens the ways out that the configuration names: KMS and metadata service where programs use KMS, and raw TCP by name and port. */
import { targetOf } from '../../../../config/app/egress.ts';
import { appEgressRoutes } from '../../../app-routes.ts';
import { serviceRoutes } from '../../../routes.ts';
import type { Phase } from '../../phase.ts';
import type { ControlReady } from '../control.ts';
import type { ApplicationReady } from './application.ts';
import type { AppConfigured } from './configuration.ts';

type Needs = ControlReady & ApplicationReady & Pick<AppConfigured, 'config'>;

export const appEgressPhase: Phase<Needs, object> = {
  name: 'egress',
  deadlineMs: ({ config }) => config.deadlines.egressMs,
  async run({ relay, config, application }, { platform, logger }) {
    const ofKms = new Set<string>(config.kmsProxy?.regions.map(({ route }) => route));
    if (ofKms.size > 0) ofKms.add('imds');
    const services = serviceRoutes(platform, config).filter(({ label }) => ofKms.has(label));
    for (const route of [...services, ...appEgressRoutes(platform, config)]) await relay.addRoute(route);
    const hosts = Object.values(config.egress.routes).flatMap((route) => {
      const { host } = targetOf(route);
      return route.hostsEntry ? [{ name: host, address: route.listen.host }] : [];
    });
    application.writeHosts(hosts, logger);
    return {};
  },
};
