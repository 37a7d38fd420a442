/** The table of routes: both daemons and both schemas follow from it, so that a new route is one entry. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { z } from 'zod';
import { portTable, routeSections } from '../../config/route-fields.ts';
import { enclaveRoutes } from '../../host-proxy/routes.ts';
import type { Platform } from '../../supervisor/platform.ts';
import { egressRoutes } from '../../supervisor/routes.ts';
import { CID_PARENT, toCid } from '../../wire/brands.ts';
import { HEARTBEAT_PORT, ROUTES, VSOCK_PORTS } from '../../wire/routes.ts';
import { startRelay } from '../relay/support/relay.ts';
import { dial, readAll, serveEcho } from '../relay/support/sockets.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const LIMITS = {
  maxConnections: 10,
  maxPending: 10,
  connectTimeoutMs: 10_000,
  prefaceTimeoutMs: 10_000,
  idleTimeoutMs: 0,
};

/** The one place. */
const WITH_ECHO = {
  ...ROUTES,
  echo: {
    dialledBy: 'enclave',
    port: 20_007,
    inside: { kind: 'private' },
    outside: { kind: 'connect' },
    opens: 'egress',
    preface: 'none',
    limits: 'private',
  },
} as const;

t.test(
  'carries bytes through a route that is one new entry, from its socket inside to what the parent names',
  async (t) => {
    const folder = temporaryFolder(t);
    const runtimeFolder = join(folder, 'enclave');
    mkdirSync(runtimeFolder);
    await serveEcho(t, join(folder, 'service'));
    const guest = { kind: 'vsock-uds-guest', path: join(folder, 'vsock'), cid: CID_PARENT } as const;
    const platform = {
      runtimeFolder,
      parentCids: [CID_PARENT],
      parentPort: (port) => ({ ...guest, port }),
      enclavePort: (port) => ({ ...guest, port }),
    } as Partial<Platform> as Platform;
    const ports = portTable(WITH_ECHO).parse(undefined);
    const sections = z.object(routeSections(WITH_ECHO)).parse({
      database: { connect: 'tcp://db:5432' },
      kms: { connect: 'tcp://kms:443' },
      echo: { connect: `unix://${join(folder, 'service')}` },
    });
    const parent = {
      ...sections,
      ports,
      limits: LIMITS,
      runtimeFolder: folder,
      enclave: { transport: 'vsock-uds' as const, cid: toCid(16), path: join(folder, 'vsock') },
    };
    const inside = {
      ports,
      acra: { listen: { kind: 'unix', path: join(folder, 'acra') } },
      database: { listen: { kind: 'tcp', host: '127.0.0.1', port: 0 } },
      egressLimits: LIMITS,
      ingressLimits: LIMITS,
    } as unknown as Parameters<typeof egressRoutes>[1];
    const { relay: onParent } = await startRelay(t);
    const { relay: inEnclave } = await startRelay(t);
    for (const route of enclaveRoutes(parent, WITH_ECHO)) await onParent.addRoute(route);
    for (const route of egressRoutes(platform, inside, WITH_ECHO)) await inEnclave.addRoute(route);
    const client = await dial(t, { kind: 'unix', path: join(runtimeFolder, 'echo.sock') });
    client.end('through both ends');
    t.equal((await readAll(client)).toString(), 'through both ends');
  },
);

t.test('keeps one port a route, and the heartbeat’s to itself', async (t) => {
  const ofKms = { kms: 18443, kms2: 18444, kms3: 18445, kms4: 18446, kms5: 18447 };
  const ofSessions = { tokens: 16379, database: 15432, ingress: 5432 };
  t.same(VSOCK_PORTS, { control: 9001, requests: 9002, ...ofKms, imds: 18080, ...ofSessions });
  t.equal(new Set(Object.values(ROUTES).map(({ port }) => port)).size, Object.keys(ROUTES).length);
  const table = portTable(WITH_ECHO);
  t.equal(table.parse({})['echo'], 20_007);
  t.equal(table.safeParse({ echo: HEARTBEAT_PORT }).success, false);
  t.equal(table.safeParse({ echo: 18_443 }).success, false, 'KMS has it');
  t.equal(table.safeParse({ heartbeat: 9003 }).success, false, 'nitro-cli’s port is not ours to move');
});

t.test('rejects a parent’s configuration that leaves out an address which has no default', async (t) => {
  const sections = z.object(routeSections(WITH_ECHO));
  const issues = sections.safeParse({
    database: { connect: 'tcp://db:5432' },
    kms: { connect: 'tcp://kms:443' },
  }).error;
  t.same(
    issues?.issues.map(({ path }) => path.join('.')),
    ['echo'],
  );
});
