/** `ingress.proxyProtocol` of host-proxy.yaml: from whom headers of the PROXY protocol are taken, and what follows for both ends. */
import t from 'tap';
import { enclaveSchema } from '../../config/enclave.ts';
import { acraHostSchema, hostProxySchema } from '../../config/host-proxy.ts';
import { loadConfig } from '../../config/load.ts';
import { publicRoutes } from '../../host-proxy/routes.ts';
import { ingressRoutes } from '../../supervisor/routes.ts';
import { PROJECT } from '../project/imports.ts';

const { ingress } = acraHostSchema.shape;
const example = loadConfig(hostProxySchema, `${PROJECT}/examples/host-proxy.yaml`);
const enclave = loadConfig(enclaveSchema, `${PROJECT}/examples/enclave.yaml`);

t.test('takes networks of both families, and nothing unless they are named', async (t) => {
  const from = ['10.0.0.0/8', '2001:db8::/32'];
  t.same(ingress.parse({ proxyProtocol: { from } }).proxyProtocol, { from });
  t.equal(ingress.parse({}).proxyProtocol, undefined);
});

for (const [what, section, words] of [
  ['an address without a prefix', { from: ['10.0.0.1'] }, /write 10\.0\.0\.1\/32/],
  ['bits behind the prefix', { from: ['10.0.0.0/8', '10.0.0.1/8'] }, /the network is 10\.0\.0\.0\/8/],
  ['no network', { from: [] }, /at least one network/],
  ['true', true, /Invalid input/],
] as const) {
  t.test(`rejects ${what}`, async (t) => {
    t.match(ingress.safeParse({ proxyProtocol: section }).error?.issues[0]?.message, words);
  });
}

t.test('tells the enclave whose connection it is, whoever passes it on', async (t) => {
  const [plain] = publicRoutes(example);
  t.same(plain?.preface, { kind: 'postgres-opening', tellsSource: true, balancers: [] });
  const proxyProtocol = { from: ['10.0.0.0/8'] };
  const [balanced] = publicRoutes({ ...example, ingress: { ...example.ingress, proxyProtocol } } as typeof example);
  t.match(balanced?.preface, { tellsSource: true, balancers: proxyProtocol.from });
});

const platform = { parentCids: [], enclavePort: () => ({}) } as unknown as Parameters<typeof ingressRoutes>[0];
const address = { kind: 'unix', path: '/run/front' } as const;

t.test('takes that off before acra-server in line, and leaves it to a front', async (t) => {
  const prefaceWith = (endsTls: boolean) =>
    ingressRoutes(platform, { ...enclave, postgresIngress: { address, endsTls } }).map(({ preface }) => preface);
  t.same(prefaceWith(false), [{ kind: 'postgres-tls', takesSource: true }]);
  t.same(prefaceWith(true), [{ kind: 'none' }]);
});

t.test(
  'refuses nobody in the enclave whom host-proxy lets in: a front has room for all of them, known or not',
  async (t) => {
    const [route] = ingressRoutes(platform, {
      ...enclave,
      postgresIngress: { address, endsTls: true, maxConnections: 900 },
    });
    t.match(route?.limits, { maxConnections: 900, maxPending: 900 });
    t.ok(example.limits.maxPending >= example.limits.maxConnections, 'nor is one kept out that is being connected');
  },
);
