/** Limits by peer address in host-proxy.yaml: what holds when nothing is said, and what is refused. */
import t from 'tap';
import { enclaveSchema } from '../../config/enclave.ts';
import { acraHostSchema, hostProxySchema } from '../../config/host-proxy.ts';
import { loadConfig } from '../../config/load.ts';
import { publicRoutes } from '../../host-proxy/routes.ts';
import { PROJECT } from '../project/imports.ts';

const example = loadConfig(hostProxySchema, `${PROJECT}/examples/host-proxy.yaml`);
const limitsFor = (limits: object) => acraHostSchema.shape.limits.parse(limits);

t.test('leaves a tenth of all connections to others, and half of the silent ones', async (t) => {
  t.match(limitsFor({}), { maxConnectionsPerAddress: 720, maxSilent: 3200, maxSilentPerAddress: 1600 });
  t.match(limitsFor({ maxConnections: 2000 }), { maxConnectionsPerAddress: 1800, maxSilent: 8000 });
  t.match(limitsFor({ maxSilent: 7 }), { maxSilentPerAddress: 4 });
});

t.test('lets a single connection be anybody’s', async (t) => {
  t.match(limitsFor({ maxConnections: 1, maxSilent: 1 }), { maxConnectionsPerAddress: 1, maxSilentPerAddress: 1 });
  t.match(limitsFor({ maxConnections: 9 }), { maxConnectionsPerAddress: 9 });
});

t.test('takes what the file says: one load balancer’s address may have all', async (t) => {
  const limits = { maxConnections: 500, maxConnectionsPerAddress: 500, maxSilentPerAddress: 100 };
  t.match(limitsFor(limits), limits);
});

for (const [field, value] of [
  ['maxConnectionsPerAddress', 0],
  ['maxConnectionsPerAddress', -1],
  ['maxSilentPerAddress', 0],
  ['maxSilentPerAddress', 1.5],
  ['maxSilentPerAddress', 'many'],
] as const) {
  t.test(`rejects ${field}: ${value}`, async (t) => {
    const { error } = acraHostSchema.shape.limits.safeParse({ [field]: value });
    t.same(
      error?.issues.map(({ path }) => path),
      [[field]],
    );
  });
}

t.test('applies them to the public route, which dials the enclave for PostgreSQL only', async (t) => {
  const [ingress] = publicRoutes(example);
  t.match(ingress, {
    label: 'ingress',
    preface: { kind: 'postgres-opening' },
    limits: { maxConnectionsPerAddress: 720, maxSilentPerAddress: 1600 },
  });
});

t.test('has them on the parent only: in the enclave every peer is the parent', async (t) => {
  const limits = { maxConnections: 10, maxSilentPerAddress: 5 };
  const { error } = enclaveSchema.shape.ingressLimits.safeParse(limits);
  t.match(error?.issues, [{ code: 'unrecognized_keys', keys: ['maxSilentPerAddress'] }]);
});
