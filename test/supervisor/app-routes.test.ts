/** The two ends of an application's ways in and out meet: what one file names, the other leads to. */
import t from 'tap';
import { appEnclaveSchema } from '../../config/app/app-enclave.ts';
import { type AppHostConfig, hostProxySchema } from '../../config/host-proxy.ts';
import { routesOf } from '../../host-proxy/open-routes.ts';
import { appEgressRoutes, appIngressRoutes } from '../../supervisor/app-routes.ts';
import { CID_ANY, CID_PARENT } from '../../wire/brands.ts';

const enclave = appEnclaveSchema.parse({
  version: 1,
  workload: 'app',
  name: 'web',
  programs: { web: { command: ['/web'] } },
  ingress: { web: { to: 'tcp://127.0.0.1:8080' }, admin: { to: 'tcp://127.0.0.1:81', vsockPort: 4_000 } },
  egress: { routes: { db: { to: 'db.example.org:5432', listen: 'tcp://127.0.0.1:5432' } } },
});
const host = hostProxySchema.parse({
  version: 1,
  workload: 'app',
  enclave: { transport: 'vsock', cid: 16 },
  ingress: {
    web: { listen: 'tcp://0.0.0.0:443', vsockPort: 8_080 },
    admin: { listen: 'unix:///run/admin.sock', vsockPort: 4_000 },
  },
  egress: { routes: { db: { connect: 'tcp://db.internal:5432', vsockPort: 25_432 } } },
}) as AppHostConfig;

const platform = {
  parentCids: [CID_PARENT],
  parentPort: (port: number) => ({ kind: 'vsock', cid: CID_PARENT, port }) as never,
  enclavePort: (port: number) => ({ kind: 'vsock', cid: CID_ANY, port }) as never,
};

t.test('leads from each public port to the program’s, by one vsock port', async (t) => {
  const inside = appIngressRoutes(platform, enclave, undefined);
  const { public: outside } = routesOf(host);
  t.match(inside, [
    {
      label: 'ingress-web',
      listen: { port: 8080 },
      connect: { host: '127.0.0.1', port: 8080 },
      allowedCids: [CID_PARENT],
    },
    { label: 'ingress-admin', listen: { port: 4000 }, connect: { host: '127.0.0.1', port: 81 } },
  ]);
  t.match(outside, [
    { label: 'ingress-web', listen: { port: 443 }, connect: { cid: 16, port: 8080 } },
    { label: 'ingress-admin', listen: { path: '/run/admin.sock' }, connect: { cid: 16, port: 4000 } },
  ]);
});

t.test('leads connections of a port whose TLS ends in the enclave to where it does', async (t) => {
  const target = { address: { kind: 'unix', path: '/run/ended.sock' }, maxConnections: 900 } as const;
  const ended = { targetOf: (name: string) => (name === 'web' ? target : undefined) };
  const [web, admin] = appIngressRoutes(platform, enclave, ended);
  t.match(web, { connect: target.address, limits: { maxConnections: 900 } });
  t.match(admin?.connect, { port: 81 });
});

t.test('leads out to one target each, for this enclave alone', async (t) => {
  t.match(appEgressRoutes(platform, enclave), [
    { label: 'egress-db', listen: { host: '127.0.0.1', port: 5432 }, connect: { cid: CID_PARENT, port: 25_432 } },
  ]);
  const lasting = routesOf(host).lasting.filter(({ label }) => label.startsWith('egress-'));
  t.match(lasting, [{ label: 'egress-db', connect: { host: 'db.internal', port: 5432 }, allowedCids: [16] }]);
});

t.test('opens for an application none of Acra’s routes', async (t) => {
  const labels = routesOf(host).lasting.map(({ label }) => label);
  t.same(labels.toSorted(), ['control', 'egress-db', 'imds', 'requests']);
});
