/**
 * Opens the ways out that the configuration names: KMS and metadata service where programs use KMS, raw TCP by name and port, and the proxy
 * for HTTP.
 */
import { type HttpEgress as HttpEgressSection, targetOf } from '../../../../config/app/egress.ts';
import { appEgressRoutes, httpEgressRoute } from '../../../app-routes.ts';
import { parentDialler } from '../../../egress/dial-parent.ts';
import { HttpEgress } from '../../../egress/http-egress.ts';
import { serviceRoutes } from '../../../routes.ts';
import type { Phase, PhaseContext } from '../../phase.ts';
import type { ControlReady } from '../control.ts';
import type { ApplicationReady } from './application.ts';
import type { AppConfigured } from './configuration.ts';

type Needs = ControlReady & ApplicationReady & Pick<AppConfigured, 'config'>;

export interface AppEgressReady {
  readonly httpEgress?: HttpEgress;
  /** For all programs. */
  readonly egressEnvironment?: Readonly<Record<string, string>>;
}

export const appEgressPhase: Phase<Needs, AppEgressReady> = {
  name: 'egress',
  deadlineMs: ({ config }) => config.deadlines.egressMs,
  async run({ relay, config, application }, context) {
    const { platform, logger } = context;
    const ofKms = new Set<string>(config.kmsProxy?.regions.map(({ route }) => route));
    if (ofKms.size > 0) ofKms.add('imds');
    const services = serviceRoutes(platform, config).filter(({ label }) => ofKms.has(label));
    for (const route of [...services, ...appEgressRoutes(platform, config)]) await relay.addRoute(route);
    const hosts = Object.values(config.egress.routes).flatMap((route) => {
      const { host } = targetOf(route);
      return route.hostsEntry ? [{ name: host.replace(/\.$/, ''), address: route.listen.host }] : [];
    });
    application.writeHosts(hosts, logger);
    const { http } = config.egress;
    return http === undefined ? {} : startHttp(http, { relay, application }, context);
  },
};

async function startHttp(
  section: HttpEgressSection,
  { relay, application }: Pick<Needs, 'relay' | 'application'>,
  { platform, clock, logger, signal, defer }: PhaseContext,
): Promise<AppEgressReady> {
  const route = httpEgressRoute(platform, section);
  await relay.addRoute(route);
  const httpEgress = new HttpEgress({ section, dialParent: parentDialler(route.listen), clock, logger });
  defer(() => httpEgress.stop());
  await httpEgress.start(signal);
  const { environment: egressEnvironment, resolvConf } = httpEgress;
  if (resolvConf !== undefined) application.writeResolver(resolvConf, logger);
  return { httpEgress, egressEnvironment };
}
