import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { anyEnclaveSchema, isApp, workloadOf } from '../../../config/any-enclave.ts';
import { type AppEnclaveConfig, appEnclaveSchema } from '../../../config/app/app-enclave.ts';
import { egressPortOf, targetOf } from '../../../config/app/egress.ts';
import { vsockPortOf } from '../../../config/app/ingress.ts';
import { stopWarnings } from '../../../config/app/stop-time.ts';
import { readConfig } from '../../../config/load.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const KEY = 'arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab';
const SMALLEST = { version: 1, workload: 'app', name: 'web', programs: { web: { command: ['/bin/web'] } } };

function faultsOf(sections: object): string[] {
  const result = appEnclaveSchema.safeParse({ ...SMALLEST, ...sections });
  return result.success ? [] : result.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
}

function parsed(sections: object): AppEnclaveConfig {
  return appEnclaveSchema.parse({ ...SMALLEST, ...sections });
}

t.test('needs no more than a name and a program', async (t) => {
  const { ports, tls, kmsProxy, programs, restart } = parsed({});
  t.match(ports, { control: 9001, requests: 9002, kms: 18443, imds: 18080 });
  t.notOk('database' in ports);
  t.equal(tls.key, 'attested');
  t.equal(kmsProxy, undefined);
  t.match(programs['web'], {
    kind: 'service',
    user: { uid: 1000, gid: 1000 },
    stopSignal: 'SIGTERM',
    restart: 'always',
  });
  t.equal(restart.stopGraceMs, 10_000);
});

t.test('tells the workloads apart by their word, and takes a file without it for Acra', async (t) => {
  const app = readConfig(anyEnclaveSchema, Buffer.from(JSON.stringify(SMALLEST)), 'enclave.yaml');
  t.ok(isApp(app));
  const { workload, ...others } = SMALLEST;
  t.equal(workload, 'app');
  t.throws(() => readConfig(anyEnclaveSchema, Buffer.from(JSON.stringify(others)), 'enclave.yaml'), {
    code: 'CONFIG_INVALID',
    message: /unknown key "programs"/,
  });
  t.throws(
    () => readConfig(anyEnclaveSchema, Buffer.from(JSON.stringify({ ...others, workload: 'web' })), 'enclave.yaml'),
    { code: 'CONFIG_INVALID', message: /workload: found "web"; must be acra \(as when it is left out\) or app/ },
  );
});

t.test('tells by the word alone which workload a file is meant for, even where it has faults', async (t) => {
  const file = join(temporaryFolder(t), 'enclave.yaml');
  t.equal(workloadOf(file), 'acra', 'there is no file');
  for (const [yaml, workload] of [
    ['{version: 1, workload: app}', 'app'],
    ['{version: 1, workload: app, guard: {}}', 'app'],
    ['{version: 1}', 'acra'],
    ['{version: 1, workload: acra}', 'acra'],
    ['{version: 1, workload: [app]}', 'acra'],
    ['workload: "', 'acra'],
  ] as const) {
    writeFileSync(file, yaml);
    t.equal(workloadOf(file), workload, yaml);
  }
});

t.test('takes no section of Acra, so that nobody believes in a guard that is not there', async (t) => {
  for (const section of ['guard', 'acra', 'database', 'keys', 'lease', 'kms'])
    t.match(faultsOf({ [section]: {} }), [/Unrecognized key/]);
});

t.test('rejects an ingress that leads to a door of the enclave, however the address is spelt', async (t) => {
  const doors = {
    kmsProxy: { regions: [{ region: 'eu-central-1' }], allow: [{ key: KEY, actions: ['Decrypt'] }] },
    egress: {
      routes: { db: { to: 'db.example.org:5432', listen: 'tcp://127.0.0.1:5432' } },
      http: { allow: ['example.org'], transparent: {} },
    },
  };
  for (const [to, door] of [
    ['tcp://127.0.0.1:10001', 'kmsProxy.listen'],
    ['tcp://localhost:10001', 'kmsProxy.listen'],
    ['tcp://LOCALHOST.:10001', 'kmsProxy.listen'],
    ['tcp://[::ffff:127.0.0.1]:10001', 'kmsProxy.listen'],
    ['tcp://[0:0:0:0:0:ffff:7f00:1]:10001', 'kmsProxy.listen'],
    ['tcp://127.0.0.1:10000', 'egress.http.listen'],
    ['tcp://127.0.0.53:53', 'egress.http.transparent.dns'],
    ['tcp://127.0.0.1:5432', 'egress.routes.db.listen'],
  ] as const) {
    const faults = faultsOf({ ...doors, ingress: { web: { to } } });
    t.same(faults, [`ingress.web.to: leads to ${door}, which is for programs in the enclave alone`], to);
  }
  t.same(faultsOf({ ...doors, ingress: { web: { to: 'tcp://127.0.0.2:10001' } } }), []);
});

t.test('rejects addresses outside the loopback interface', async (t) => {
  for (const to of ['tcp://0.0.0.0:80', 'tcp://[::]:80', 'tcp://10.0.0.1:80', 'tcp://web:80', 'unix:///run/x.sock'])
    t.match(faultsOf({ ingress: { web: { to } } }), [/^ingress\.web\.to: /], to);
  const routes = { db: { to: 'db:5432', listen: 'tcp://0.0.0.0:5432' } };
  t.match(faultsOf({ egress: { routes } }), [/^egress\.routes\.db\.listen: must be an address of the loopback/]);
});

t.test('rejects two routes on one vsock port, also where a default gives it', async (t) => {
  t.match(faultsOf({ ingress: { a: { to: 'tcp://127.0.0.1:80' }, b: { to: 'tcp://127.0.0.2:80' } } }), [
    /^ingress\.b\.vsockPort: would be 80, the vsock port of ingress\.a\.vsockPort too; give it another/,
  ]);
  const route = (to: string, port: number) => ({ to, listen: `tcp://127.0.0.1:${port}` });
  t.match(faultsOf({ egress: { routes: { a: route('a:5432', 5432), b: route('b:5432', 5433) } } }), [/would be 25432/]);
  t.match(faultsOf({ ports: { control: 80 }, ingress: { a: { to: 'tcp://127.0.0.1:80' } } }), [/ports\.control/]);
  t.match(faultsOf({ ingress: { a: { to: 'tcp://127.0.0.1:9001' } } }), [
    /would be 9001, the vsock port of ports\.control/,
  ]);
});

t.test('rejects two listeners at one address', async (t) => {
  const b = { to: 'b:2', listen: 'tcp://localhost:7', hostsEntry: false };
  const routes = { a: { to: 'a:1', listen: 'tcp://127.0.0.1:7' }, b };
  t.same(faultsOf({ egress: { routes } }), ['egress.routes.b.listen: is the address of egress.routes.a.listen too']);
});

t.test('rejects a key of a file, and ended TLS without a name', async (t) => {
  t.match(faultsOf({ tls: { key: 'sealed' } }), [/^tls\.key: must be attested/]);
  const ingress = { web: { to: 'tcp://127.0.0.1:80', tls: 'ended' } };
  t.match(faultsOf({ ingress }), [/^tls\.names: must name at least one/]);
  t.match(faultsOf({ tls: { certificate: 'operator-ca' } }), [/^tls\.names: /]);
  t.same(faultsOf({ ingress, tls: { names: ['web.example.org'] } }), []);
  t.match(faultsOf({ ingress, tls: { names: ['a.example.org', 'a.example.org'] } }), [/each name once/]);
});

t.test('rejects randomness of KMS where there is no KMS', async (t) => {
  t.match(faultsOf({ entropy: { kms: 'required' } }), [/^entropy\.kms: must be off or left out/]);
});

t.test('reads what is left out of routes from what they lead to', async (t) => {
  const { ingress, egress } = parsed({
    ingress: { web: { to: 'tcp://127.0.0.1:8443' } },
    egress: { routes: { db: { to: '[2001:db8::1]:5432', listen: 'tcp://127.0.0.1:5432' } } },
  });
  t.equal(ingress['web'] && vsockPortOf(ingress['web']), 8443);
  t.equal(egress.routes['db'] && egressPortOf(egress.routes['db']), 25432);
  t.same(egress.routes['db'] && targetOf(egress.routes['db']), { host: '2001:db8::1', port: 5432 });
  for (const to of ['db', 'db:0', 'db:99999', 'user@db:5432', 'http://db:1', '1.2.3:4'])
    t.match(faultsOf({ egress: { routes: { db: { to, listen: 'tcp://127.0.0.1:1' } } } }), [/HOST:PORT/], to);
});

t.test('tells where programs may take longer to stop than the parent waits by default', async (t) => {
  const command = ['/bin/web'];
  const chain = { web: { command, after: ['app'] }, app: { command, after: ['db'] }, db: { command } };
  t.same(stopWarnings(parsed({})), []);
  t.match(stopWarnings(parsed({ programs: chain })), [/stop within 40000 ms; enclave\.run\.stopGraceMs/]);
  t.same(stopWarnings(parsed({ programs: chain, restart: { stopGraceMs: 5_000 } })), []);
});

t.test('rejects names that every object of JavaScript has', async (t) => {
  const web = { command: ['/bin/web'] };
  for (const sections of [
    { programs: { web: { ...web, after: ['constructor'] } } },
    { programs: { web, constructor: web } },
    { ingress: { constructor: { to: 'tcp://127.0.0.1:80' } } },
    { egress: { routes: { constructor: { to: 'db:1', listen: 'tcp://127.0.0.1:1' } } } },
  ])
    t.match(faultsOf(sections).join(), /constructor|after/, JSON.stringify(sections));
});

t.test('keeps variables whose names objects inherit', async (t) => {
  const environment = { constructor: 'a', toString: 'b', __defineGetter__: 'c' };
  const { programs } = parsed({ programs: { web: { command: ['/bin/web'], environment } } });
  t.same(Object.entries(programs['web']?.environment ?? {}), Object.entries(environment));
});

t.test('rejects a program or a probe that could never be', async (t) => {
  t.match(faultsOf({ programs: { web: { command: ['', 'x'] } } }), [
    /^programs\.web\.command: must begin with the name/,
  ]);
  const probe = { tcp: 'tcp://127.0.0.1:0' };
  t.match(faultsOf({ programs: { web: { command: ['/bin/web'], probe } } }), [/^programs\.web\.probe/]);
});

t.test('rejects a name that /etc/hosts would lead to two addresses, or to none', async (t) => {
  const route = (to: string, listen: string, hostsEntry?: boolean) => ({ to, listen, hostsEntry });
  for (const to of ['localhost:5432', 'LocalHost.:5432']) {
    const routes = { db: route(to, 'tcp://127.0.0.2:5432') };
    t.match(faultsOf({ egress: { routes } }), [/^egress\.routes\.db\.to: must be another name with hostsEntry/], to);
    t.same(faultsOf({ egress: { routes: { db: route(to, 'tcp://127.0.0.2:5432', false) } } }), []);
  }
  const named = { db: route('db:5432', 'tcp://localhost:5432') };
  t.match(faultsOf({ egress: { routes: named } }), [/^egress\.routes\.db\.listen: must be an address/]);
  const two = { a: route('db:1', 'tcp://127.0.0.2:1'), b: route('DB.:2', 'tcp://127.0.0.3:2') };
  t.match(faultsOf({ egress: { routes: two } }), [
    /^egress\.routes\.b\.listen: must have the address of .*\.a\.listen/,
  ]);
  const same = { a: route('db:1', 'tcp://127.0.0.2:1'), b: route('db:2', 'tcp://127.0.0.2:2') };
  t.same(faultsOf({ egress: { routes: same } }), []);
  t.same(faultsOf({ egress: { routes: { db: route('127.0.0.9:1', 'tcp://localhost:1') } } }), []);
});

t.test('rejects a door of the enclave among the addresses that stand for names', async (t) => {
  const http = { allow: ['example.org'], transparent: {} };
  const routes = { db: { to: 'db:443', listen: 'tcp://127.64.0.1:443' } };
  t.match(faultsOf({ egress: { http, routes } }), [/^egress\.routes\.db\.listen: lies in egress\.http\.transparent/]);
  t.match(faultsOf({ egress: { http: { ...http, listen: 'tcp://127.64.0.2:80' } } }), [
    /^egress\.http\.listen: lies in/,
  ]);
  t.same(faultsOf({ egress: { http: { allow: [] }, routes } }), []);
});

/** A field, a wrong value, and what must be said of it. */
const WRONG: readonly (readonly [string, unknown, RegExp])[] = [
  ['user', -1, /found -1; must be a user number from 0 to 65533/],
  ['user', 65_534, /found 65534; must be a user number from 0 to 65533/],
  ['user', 'www-data', /found "www-data"; must be a user number/],
  ['user', '1:70000', /must be a user number/],
  ['maxMemoryMiB', 1, /found 1; must be at least 16/],
  ['maxTasks', 1e9, /found 1000000000; must be at most 100000/],
  ['command', Array.from({ length: 257 }, () => 'x'), /must have at most 256 entries/],
  ['command', ['x'.repeat(200_000)], /must have at most 131071 characters/],
  ['environment', { 'A-B': 'x' }, /the name "A-B" must be letters, digits and _/],
  ['probe', { tcp: 'tcp://10.0.0.1:80' }, /must be an address of the loopback interface/],
  ['probe', { http: 'https://127.0.0.1/' }, /must be an http:\/\/ URL of the loopback interface/],
];
for (const [field, value, said] of WRONG) {
  t.test(`says of a wrong ${field} what was found and what is allowed (${said.source.slice(0, 40)})`, async (t) => {
    const file = { ...SMALLEST, programs: { web: { command: ['/bin/web'], [field]: value } } };
    t.throws(() => readConfig(anyEnclaveSchema, Buffer.from(JSON.stringify(file)), 'enclave.yaml'), {
      code: 'CONFIG_INVALID',
      message: said,
    });
  });
}

t.test('says of a wrong name of a program what names may be', async (t) => {
  const file = { ...SMALLEST, programs: { 'Web!': { command: ['/bin/web'] } } };
  t.throws(() => readConfig(anyEnclaveSchema, Buffer.from(JSON.stringify(file)), 'enclave.yaml'), {
    message: /the name "Web!" must be lower-case letters, digits and dashes/,
  });
});
