/** What host-proxy.yaml may say otherwise than the image of an application. */
import { hostProxySchema } from '../../../../config/host-proxy.ts';
import type { AppPorts } from '../../../../wire/app-ports.ts';
import { type FakeParent, IMAGE, imageOf } from '../fake-parent.ts';
import type { BrokenParent } from './broken-parent.ts';

const OF_IMAGE: AppPorts = { inward: { 'ingress-web': 8080 }, outward: { control: 9001, 'egress-db': 25_432 } };
const RUN = { driver: 'nitro-cli', image: IMAGE, memoryMiB: 3072, cpuCount: 2 };
const WEB = { listen: 'tcp://0.0.0.0:443', vsockPort: 8_080 };
const DB = { connect: 'tcp://10.0.0.7:5432', vsockPort: 25_432 };

export const appHost = (sections: object) =>
  hostProxySchema.parse({
    version: 1,
    workload: 'app',
    enclave: { transport: 'vsock', cid: 16, run: RUN },
    ...sections,
  });

const withApplication = (parent: FakeParent) => parent.files.set(IMAGE, imageOf({ app: OF_IMAGE }));

export const ROUTES: readonly BrokenParent[] = [
  {
    what: 'a way in by another vsock port than the image has',
    check: 'routes',
    found: /ingress-web has vsock port 8081 in host-proxy\.yaml, and the enclave has vsock port 8080/,
    advice: /vsockPort/,
    config: appHost({ ingress: { web: { ...WEB, vsockPort: 8_081 } }, egress: { routes: { db: DB } } }),
    breakIt: withApplication,
  },
  {
    what: 'a way that the image does not have',
    check: 'routes',
    found: /egress-other has vsock port 1 in host-proxy\.yaml, and the enclave has no such way/,
    config: appHost({
      ingress: { web: WEB },
      egress: { routes: { db: DB, other: { connect: 'tcp://10.0.0.8:1', vsockPort: 1 } } },
    }),
    breakIt: withApplication,
  },
  {
    what: 'a way out that host-proxy.yaml leaves closed',
    check: 'routes',
    outcome: 'warning',
    found: /egress-db of the enclave is not in host-proxy\.yaml/,
    config: appHost({ ingress: { web: WEB } }),
    breakIt: withApplication,
  },
  {
    what: 'an image of Acra where host-proxy.yaml says workload: app',
    check: 'routes',
    found: /the image holds Acra/,
    config: appHost({}),
    breakIt: () => undefined,
  },
  {
    what: 'an image of an application where host-proxy.yaml is for Acra',
    check: 'routes',
    found: /another application than Acra/,
    advice: /workload: app/,
    breakIt: withApplication,
  },
];
