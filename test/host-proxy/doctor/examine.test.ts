import t from 'tap';
import type { HostProxyConfig } from '../../../config/host-proxy.ts';
import type { CheckReport, LoadedConfig } from '../../../host-proxy/doctor/examine.ts';
import { examineParent } from '../../../host-proxy/doctor/examine.ts';
import type { FakeParent } from './fake-parent.ts';
import { asSystem, healthyImds, healthyParent, IMAGE, nitroConfig, nobody, qemuConfig } from './fake-parent.ts';

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

interface Broken {
  readonly what: string;
  readonly check: string;
  readonly outcome?: CheckReport['outcome'];
  readonly found: RegExp;
  readonly advice?: RegExp;
  readonly config?: HostProxyConfig;
  readonly breakIt: (parent: FakeParent) => unknown;
}

const closed = { bytes: 0, readable: false, writable: false };
const AT_HOME = '/home/ec2-user/acra-enclave.eif';

function hideImage({ status, hidden }: FakeParent): void {
  status.delete(IMAGE);
  hidden.add(IMAGE);
}

const BROKEN: readonly Broken[] = [
  {
    what: 'an instance without enclave support',
    check: 'enclave-device',
    found: /no \/dev\/nitro_enclaves on this EC2 instance \(c6a\.xlarge\)/,
    advice: /--enclave-options Enabled=true/,
    breakIt: ({ status }) => status.delete('/dev/nitro_enclaves'),
  },
  {
    what: 'a machine that is no EC2 instance',
    check: 'enclave-device',
    found: /not an EC2 instance \(QEMU\)/,
    advice: /qemu/,
    breakIt({ status, files }) {
      status.delete('/dev/nitro_enclaves');
      files.set('/sys/devices/virtual/dmi/id/sys_vendor', 'QEMU\n');
    },
  },
  {
    what: 'a user who may not open the device',
    check: 'enclave-device',
    found: /may not open/,
    advice: /usermod -aG ne/,
    breakIt: ({ status }) => status.set('/dev/nitro_enclaves', { ...closed, readable: true }),
  },
  {
    what: 'a missing driver',
    check: 'enclave-driver',
    found: /not loaded/,
    advice: /modprobe nitro_enclaves/,
    breakIt: ({ status }) => status.delete('/sys/module/nitro_enclaves'),
  },
  {
    what: 'too few CPUs',
    check: 'enclave-cpus',
    found: /2 \(1,3\); the enclave takes 4/,
    advice: /cpu_count: 4/,
    config: nitroConfig({
      enclave: {
        transport: 'vsock',
        cid: 16,
        run: { driver: 'nitro-cli', image: IMAGE, cpuCount: 4, memoryMiB: 3072 },
      },
    }),
    breakIt: () => undefined,
  },
  {
    what: 'no CPUs',
    check: 'enclave-cpus',
    found: /^0; the enclave takes 2/,
    advice: /allocator\.yaml/,
    breakIt: ({ files }) => files.set('/sys/module/nitro_enclaves/parameters/ne_cpus', '\n'),
  },
  {
    what: 'too little memory; pages below 2 MiB do not count',
    check: 'enclave-memory',
    found: /2048 of 2048 MiB are free; the enclave takes 3072 MiB/,
    advice: /memory_mib: 3072/,
    breakIt({ files }) {
      files.set('/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages', '0');
      files.set('/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages', '0');
    },
  },
  {
    what: 'memory that another enclave has',
    check: 'enclave-memory',
    outcome: 'warning',
    found: /2048 of 3072 MiB are free/,
    advice: /describe-enclaves/,
    breakIt: ({ files }) => files.set('/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages', '0'),
  },
  {
    what: 'memory below 4 times the image',
    check: 'enclave-memory',
    found: /takes 3072 MiB.*needs 4000 MiB/,
    advice: /memoryMiB: 4000/,
    breakIt: ({ status }) => status.set(IMAGE, { ...closed, readable: true, bytes: 1000 * 1024 * 1024 }),
  },
  {
    what: 'a missing nitro-cli',
    check: 'nitro-cli',
    found: /no program nitro-cli/,
    advice: /dnf install aws-nitro-enclaves-cli/,
    breakIt: ({ commands }) => commands.delete('nitro-cli --version'),
  },
  {
    what: 'a broken nitro-cli',
    check: 'nitro-cli',
    found: /code 127/,
    breakIt: ({ commands }) => commands.set('nitro-cli --version', { code: 127, stdout: '' }),
  },
  {
    what: 'folders that nitro-cli cannot write to',
    check: 'nitro-cli',
    found: /may not write to \/run\/nitro_enclaves$/,
    advice: /group ne/,
    breakIt: ({ status }) => status.set('/run/nitro_enclaves', closed),
  },
  {
    what: 'a kernel without vsock',
    check: 'vsock',
    found: /EAFNOSUPPORT/,
    advice: /modprobe -a vsock vmw_vsock_virtio_transport/,
    breakIt: (parent) => Object.assign(parent, { vsockError: 'EAFNOSUPPORT' }),
  },
  {
    what: 'a missing /dev/vsock',
    check: 'vsock',
    found: /no \/dev\/vsock/,
    breakIt: ({ status }) => status.delete('/dev/vsock'),
  },
  {
    what: 'a missing user of the service',
    check: 'service-user',
    outcome: 'warning',
    found: /the user acra-enclave does not exist/,
    advice: /systemd-sysusers/,
    breakIt: ({ files }) => files.set('/etc/passwd', 'root:x:0:0::/root:/bin/sh\n'),
  },
  {
    what: 'a missing image',
    check: 'enclave-image',
    found: /there is no \/var\/lib/,
    advice: /enclave\.run\.image/,
    breakIt: ({ status }) => status.delete(IMAGE),
  },
  {
    what: 'an image that this user may not look for',
    check: 'enclave-image',
    found: /this user may not look whether there is \/var\/lib/,
    advice: /sudo acra-enclave doctor/,
    breakIt: hideImage,
  },
  {
    what: 'an image whose size this user may not see',
    check: 'enclave-memory',
    outcome: 'warning',
    found: /3072 of 3072 MiB are free.*may not see/,
    advice: /sudo acra-enclave doctor/,
    breakIt: hideImage,
  },
  {
    what: 'an image that cannot be read',
    check: 'enclave-image',
    found: /cannot be read/,
    breakIt: ({ status }) => status.set(IMAGE, closed),
  },
  {
    what: 'an image that the service’s user may not read',
    check: 'enclave-image',
    outcome: 'warning',
    found: /60\.0 MiB, but the user acra-enclave may not read it/,
    advice: /chown root:acra-enclave/,
    breakIt: ({ commands }) =>
      commands.set(`runuser -u acra-enclave -- sh -c test -r "$1"; echo "$?" sh ${IMAGE}`, { code: 0, stdout: '1\n' }),
  },
  {
    what: 'an image where the systemd unit does not look',
    check: 'enclave-image',
    outcome: 'warning',
    found: /does not see that folder/,
    advice: /\/var\/lib\/acra-enclave/,
    config: nitroConfig({ enclave: { transport: 'vsock', cid: 16, run: { driver: 'nitro-cli', image: AT_HOME } } }),
    breakIt: ({ status, files }) => {
      status.set(AT_HOME, { bytes: 1, readable: true, writable: true });
      files.set(AT_HOME, '.eif…');
    },
  },
  {
    what: 'a file that is no image',
    check: 'enclave-image',
    found: /is not an enclave image/,
    advice: /eif verify/,
    breakIt: ({ files }) => files.set(IMAGE, '<html>'),
  },
  {
    what: 'IMDS that is switched off',
    check: 'imds',
    found: /status 403/,
    advice: /--http-endpoint enabled/,
    breakIt: (parent) => Object.assign(parent, { ask: async () => ({ status: 403, body: '' }) }),
  },
  {
    what: 'IMDS that does not answer',
    check: 'imds',
    found: /no answer within 2 s/,
    advice: /hop-limit 2/,
    breakIt: (parent) => Object.assign(parent, { ask: nobody }),
  },
  {
    what: 'IMDSv1 that answers',
    check: 'imds-v1',
    outcome: 'warning',
    found: /without a token is answered/,
    advice: /--http-tokens required/,
    breakIt(parent) {
      parent.ask = async (question, signal) =>
        question.method === 'GET' ? { status: 200, body: 'ami-id' } : healthyImds(question, signal);
    },
  },
  {
    what: 'tokens that travel',
    check: 'imds-hop-limit',
    outcome: 'warning',
    found: /2 hops or further/,
    advice: /--http-put-response-hop-limit 1/,
    breakIt(parent) {
      parent.ask = (question, signal) => healthyImds({ ...question, minimumTtl: 1 }, signal);
    },
  },
  {
    what: 'a hop limit that cannot be seen',
    check: 'imds-hop-limit',
    outcome: 'skipped',
    found: /cannot be told: IP_MINTTL/,
    breakIt(parent) {
      parent.ask = async (question, signal) => {
        if (question.minimumTtl !== undefined) throw new Error('IP_MINTTL cannot be set here');
        return healthyImds(question, signal);
      };
    },
  },
  {
    what: 'an instance without a role',
    check: 'role',
    found: /no role \(status 404\)/,
    advice: /associate-iam-instance-profile/,
    breakIt(parent) {
      parent.ask = async (question, signal) =>
        question.method === 'GET' ? { status: 404, body: '' } : healthyImds(question, signal);
    },
  },
  {
    what: 'KMS that cannot be reached',
    check: 'kms',
    found: /connect ETIMEDOUT/,
    advice: /VPC endpoint/,
    breakIt: (parent) => Object.assign(parent, { date: async () => Promise.reject(new Error('connect ETIMEDOUT')) }),
  },
  {
    what: 'KMS that does not answer',
    check: 'kms',
    found: /no answer within 5 s/,
    advice: /port 443/,
    breakIt: (parent) => Object.assign(parent, { date: (signal: AbortSignal) => nobody(undefined, signal) }),
  },
  {
    what: 'a database that refuses TLS',
    check: 'database',
    found: /refuses TLS/,
    advice: /ssl = on/,
    breakIt: (parent) => Object.assign(parent, { postgres: async () => 'N' }),
  },
  {
    what: 'a database that is something else',
    check: 'database',
    found: /is not PostgreSQL/,
    breakIt: (parent) => Object.assign(parent, { postgres: async () => 'H' }),
  },
  {
    what: 'a database that cannot be reached',
    check: 'database',
    found: /connect ECONNREFUSED/,
    advice: /security group/,
    breakIt: (parent) =>
      Object.assign(parent, { postgres: async () => Promise.reject(new Error('connect ECONNREFUSED')) }),
  },
  {
    what: 'a clock that is 6 minutes late',
    check: 'clock',
    found: /360 s behind KMS/,
    advice: /169\.254\.169\.123/,
    breakIt(parent) {
      parent.date = async () => new Date(parent.clock.nowMs() + 360_000).toUTCString();
    },
  },
  {
    what: 'a clock that nobody sets',
    check: 'clock',
    outcome: 'warning',
    found: /not synchronised, 0 s/,
    advice: /chronyd/,
    breakIt: ({ commands }) =>
      commands.set('timedatectl show --property=NTPSynchronized --value', { code: 0, stdout: 'no\n' }),
  },
  {
    what: 'a missing QEMU',
    check: 'qemu',
    config: qemuConfig(),
    found: /no program qemu-system-x86_64/,
    advice: /QEMU 9\.2/,
    breakIt: ({ commands }) => commands.delete('qemu-system-x86_64 -machine help'),
  },
  {
    what: 'a QEMU without enclaves',
    check: 'qemu',
    config: qemuConfig(),
    found: /no machine nitro-enclave/,
    advice: /QEMU 9\.2/,
    breakIt: ({ commands }) => commands.set('qemu-system-x86_64 -machine help', { code: 0, stdout: 'microvm\n' }),
  },
  {
    what: 'a QEMU without its firmware',
    check: 'qemu',
    config: qemuConfig({ firmware: '/opt/qemu' }),
    found: /lacks qboot\.rom and linuxboot_dma\.bin/,
    breakIt: () => undefined,
  },
  {
    what: 'a missing vhost-device-vsock',
    check: 'qemu',
    config: qemuConfig(),
    found: /no program vhost-device-vsock/,
    advice: /vhostDeviceVsock/,
    breakIt: ({ commands }) => commands.delete('vhost-device-vsock --version'),
  },
];

for (const { what, check, outcome = 'failure', found, advice = /./, config = nitroConfig(), breakIt } of BROKEN) {
  t.test(`finds ${what} (${check}: ${outcome})`, async (t) => {
    const parent = healthyParent();
    breakIt(parent);
    const report = (await examine(parent, withConfig(config))).get(check);
    t.equal(report?.outcome, outcome);
    t.match(report?.found, found);
    if (outcome !== 'skipped') t.match(report?.advice, advice);
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
  t.same(looked, ['enclave-device', 'enclave-driver', 'enclave-cpus', 'vsock', 'service-user']);
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
