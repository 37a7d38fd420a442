import t from 'tap';
import type { HostProxyConfig } from '../../../config/host-proxy.ts';
import type { CheckReport, LoadedConfig } from '../../../host-proxy/doctor/examine.ts';
import { examineParent } from '../../../host-proxy/doctor/examine.ts';
import type { BrokenParent } from './broken-parents/broken-parent.ts';
import { IMAGES } from './broken-parents/image.ts';
import { KERNELS } from './broken-parents/kernels.ts';
import { MACHINES } from './broken-parents/machine.ts';
import { LAPTOPS } from './broken-parents/qemu.ts';
import { appHost, ROUTES } from './broken-parents/routes.ts';
import { SERVICES } from './broken-parents/services.ts';
import type { FakeParent } from './fake-parent.ts';
import { asSystem, healthyParent, IMAGE, imageOf, nitroConfig, nobody, qemuConfig } from './fake-parent.ts';

const never = new AbortController().signal;

async function examine(
  parent: FakeParent,
  loaded: LoadedConfig,
  told: CheckReport[] = [],
): Promise<Map<string, CheckReport>> {
  const examining = examineParent(loaded, asSystem(parent), never, (report) => told.push(report));
  let done = false;
  const finished = examining.finally(() => {
    done = true;
  });
  while (!done) {
    await new Promise(setImmediate);
    parent.clock.advance(1_000);
  }
  return new Map((await finished).map((report) => [report.name, report]));
}

const withConfig = (config: HostProxyConfig): LoadedConfig => ({ file: 'host-proxy.yaml', config });

t.test('finds nothing wrong with a parent instance as it should be', async (t) => {
  const told: CheckReport[] = [];
  const reports = await examine(healthyParent(), withConfig(nitroConfig()), told);
  t.same(
    [...reports.values()].filter(({ outcome }) => outcome !== 'ok').map(({ name }) => name),
    ['qemu'],
  );
  t.same(told, [...reports.values()], 'each is told once, in order');
  t.equal(reports.get('configuration'), told[0]);
});

t.test('finds nothing wrong with a laptop that uses QEMU, without anything of Nitro or EC2', async (t) => {
  const parent = healthyParent();
  for (const path of [...parent.status.keys()]) if (path !== IMAGE) parent.status.delete(path);
  parent.vsockError = 'EAFNOSUPPORT';
  parent.commands.delete('nitro-cli --version');
  const reports = await examine(parent, withConfig(qemuConfig()));
  t.same(
    [...reports.values()].filter(({ outcome }) => outcome === 'failure' || outcome === 'warning'),
    [],
  );
  t.equal(reports.get('qemu')?.outcome, 'ok');
  t.equal(reports.get('enclave-device')?.outcome, 'skipped');
});

t.test('shows the addresses that host-proxy will use', async (t) => {
  const parent = healthyParent();
  parent.resolve = async (host) => (host === 'db.internal' ? ['10.0.0.7', 'fd00::7'] : ['10.0.0.8']);
  const { outcome, found } = (await examine(parent, withConfig(nitroConfig()))).get('names') ?? {};
  t.equal(outcome, 'ok');
  t.equal(found, 'db.internal is 10.0.0.7, fd00::7; kms.eu-central-1.amazonaws.com is 10.0.0.8');
});

t.test('asks for no address where host-proxy.yaml has addresses only', async (t) => {
  const parent = healthyParent();
  parent.resolve = nobody;
  const config = nitroConfig({ database: { connect: 'tcp://10.0.0.7:5432' }, kms: { connect: 'tcp://[fd00::8]:443' } });
  t.equal((await examine(parent, withConfig(config))).get('names')?.outcome, 'skipped');
});

t.test('tells host-proxy’s own port for attestation documents from one where nobody listens yet', async (t) => {
  const config = nitroConfig({ attestation: { listen: 'tcp://0.0.0.0:9465' } });
  const body = JSON.stringify({ error: { code: 'HOST_ATTESTATION_REQUEST', message: '' } });
  const answers = [
    [() => Promise.resolve({ status: 400, body }), /host-proxy listens/],
    [() => Promise.reject(new Error('connect ECONNREFUSED')), /nobody listens/],
  ] as const;
  for (const [answer, expected] of answers) {
    const parent = healthyParent();
    const { ask } = parent;
    parent.ask = (question, signal) => (question.path === '/v1/attestation' ? answer() : ask(question, signal));
    const { outcome, found = '' } = (await examine(parent, withConfig(config))).get('attestation') ?? {};
    t.equal(outcome, 'ok');
    t.match(found, expected);
  }
});

t.test('finds nothing wrong where both files name the same ways', async (t) => {
  const parent = healthyParent();
  parent.files.set(IMAGE, imageOf({ app: { inward: {}, outward: { control: 9001 } } }));
  t.match((await examine(parent, withConfig(appHost({})))).get('routes'), { outcome: 'ok' });
});

const BROKEN: readonly BrokenParent[] = [...MACHINES, ...KERNELS, ...IMAGES, ...ROUTES, ...SERVICES, ...LAPTOPS];

for (const { what, check, outcome = 'failure', found, advice = /./, config = nitroConfig(), breakIt } of BROKEN) {
  t.test(`finds ${what} (${check}: ${outcome})`, async (t) => {
    const parent = healthyParent();
    breakIt(parent);
    const report = (await examine(parent, withConfig(config))).get(check);
    t.equal(report?.outcome, outcome);
    t.match(report?.found, found);
    if (outcome === 'warning' || outcome === 'failure') t.match(report?.advice, advice);
    t.equal(parent.clock.sleeping, 0, 'no timer is left');
  });
}

t.test('tells once that instance metadata does not answer', async (t) => {
  const parent = healthyParent();
  parent.ask = nobody;
  const reports = await examine(parent, withConfig(nitroConfig()));
  for (const name of ['imds-v1', 'imds-hop-limit', 'role']) t.equal(reports.get(name)?.outcome, 'skipped', name);
});

t.test('tells of the clock even if KMS does not answer', async (t) => {
  const parent = healthyParent();
  parent.date = (signal) => nobody(undefined, signal);
  t.match((await examine(parent, withConfig(nitroConfig()))).get('clock'), { outcome: 'ok', found: 'synchronised' });
});

t.test('every check can be broken by this test', async (t) => {
  const reports = await examine(healthyParent(), withConfig(nitroConfig()));
  const names = [...reports.keys()].filter((name) => name !== 'configuration');
  t.same(
    names.filter((name) => !BROKEN.some(({ check }) => check === name)),
    [],
  );
});

t.test('without a valid configuration looks at the machine, and dials nobody', async (t) => {
  const parent = healthyParent();
  const dialled = async () => t.fail('something was dialled');
  Object.assign(parent, { ask: dialled, date: dialled, postgres: dialled });
  const error = new Error('no such file');
  const reports = await examine(parent, { file: 'host-proxy.yaml', error, advice: 'make one' });
  t.same(
    [...reports.values()].filter(({ outcome }) => outcome === 'failure'),
    [
      {
        name: 'configuration',
        checked: 'host-proxy.yaml',
        outcome: 'failure',
        found: 'no such file',
        advice: 'make one',
      },
    ],
  );
  const looked = [...reports.values()].filter(({ outcome }) => outcome === 'ok').map(({ name }) => name);
  t.same(looked, ['enclave-device', 'enclave-driver', 'enclave-cpus', 'vsock', 'kernel', 'service-user']);
});

t.test('ends at once when its signal aborts', async (t) => {
  const parent = healthyParent();
  parent.ask = nobody;
  const stop = new AbortController();
  const examining = examineParent(withConfig(nitroConfig()), asSystem(parent), stop.signal, () => undefined);
  stop.abort(new Error('received SIGINT'));
  await t.rejects(examining, { message: 'received SIGINT' });
  await new Promise(setImmediate);
  t.equal(parent.clock.sleeping, 0, 'no timer is left');
});
