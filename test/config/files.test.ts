import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test as TapTest } from 'tap';
import { stringify } from 'yaml';
import { acraListenOf, enclaveSchema } from '../../config/enclave.ts';
import { ConfigError } from '../../config/errors.ts';
import { hostProxySchema } from '../../config/host-proxy.ts';
import { loadConfig } from '../../config/load.ts';
import { PROJECT } from '../project/imports.ts';
import { throwsCode } from '../support/coded-error.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const ENCLAVE = {
  version: 1,
  name: 'records',
  ingress: { tls: 'passthrough' },
  database: { serverName: 'db.internal' },
  kms: {
    region: 'eu-central-1',
    keyArn: 'arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab',
    encryptionContext: { purpose: 'acra' },
  },
};

function load(t: TapTest, document: unknown) {
  const file = join(temporaryFolder(t), 'enclave.yaml');
  writeFileSync(file, typeof document === 'string' ? document : stringify(document));
  return loadConfig(enclaveSchema, file);
}

t.test('keeps the examples valid', async (t) => {
  t.equal(loadConfig(enclaveSchema, join(PROJECT, 'examples/enclave.yaml')).version, 1);
  t.equal(loadConfig(hostProxySchema, join(PROJECT, 'examples/host-proxy.yaml')).version, 1);
});

t.test('keeps a minimal enclave.yaml usable: every other value has a default', async (t) => {
  const config = load(t, ENCLAVE);
  t.same(acraListenOf(config), { kind: 'tcp', host: '127.0.0.1', port: 9393 });
  t.equal(config.ports.ingress, 5432);
  t.ok(config.acra.memoryLimitMiB < config.acra.maxMemoryMiB);
  t.ok(Object.values(config.deadlines).every((ms) => ms > 0));
  t.equal(config.ingressLimits.maxConnections, 500);
  t.equal(config.egressLimits.maxConnections, 510);
});

t.test('keeps any number of sessions possible with connections to the database to match', async (t) => {
  for (const sessions of [1, 500, 100_000]) {
    const limits = { ingressLimits: { maxConnections: sessions }, egressLimits: { maxConnections: sessions + 10 } };
    t.equal(load(t, { ...ENCLAVE, ...limits }).egressLimits.maxConnections, sessions + 10);
  }
});

t.test('keeps every name that acra-server finds in a certificate: DNS names and addresses', async (t) => {
  for (const serverName of [
    'db.internal',
    'db_1.internal',
    'localhost',
    'DB.Internal',
    '10.0.0.1',
    '::1',
    '2001:db8::7',
  ])
    t.equal(load(t, { ...ENCLAVE, database: { serverName } }).database.serverName, serverName);
});

const REFUSED: readonly (readonly [string, object, string])[] = [
  ['an unknown key at the top', { ...ENCLAVE, colour: 'red' }, 'unknown key "colour"'],
  ['an unknown key below', { ...ENCLAVE, database: { serverName: 'a', ssl: false } }, 'database: unknown key "ssl"'],
  ...[
    '',
    '*.internal',
    'db.internal.',
    'db internal',
    '[::1]',
    'fe80::1%eth0',
    '10.0.0.1:5432',
    'tcp://db',
    'b\u00fccher',
  ].map(
    (serverName) =>
      [`the server name "${serverName}"`, { ...ENCLAVE, database: { serverName } }, 'database.serverName'] as const,
  ),
  ['another version', { ...ENCLAVE, version: 2 }, 'version: found 2'],
  ['a key alias', { ...ENCLAVE, kms: { ...ENCLAVE.kms, keyArn: 'alias/key' } }, 'kms.keyArn: found "alias/key"'],
  [
    'an empty encryption context',
    { ...ENCLAVE, kms: { ...ENCLAVE.kms, encryptionContext: {} } },
    'kms.encryptionContext',
  ],
  ['a KMS endpoint without TLS', { ...ENCLAVE, kms: { ...ENCLAVE.kms, endpoint: 'http://kms' } }, 'kms.endpoint'],
  ['a file outside the folder', { ...ENCLAVE, acra: { keystore: '../keystore' } }, 'acra.keystore'],
  ['an absolute file', { ...ENCLAVE, acra: { keystore: '/keystore' } }, 'acra.keystore'],
  ['the heartbeat’s port', { ...ENCLAVE, ports: { control: 9000 } }, 'ports.control'],
  ['a port twice', { ...ENCLAVE, ports: { control: 5432 } }, 'ports'],
  ['a time without bounds', { ...ENCLAVE, deadlines: { readyMs: 0 } }, 'deadlines.readyMs'],
  ['acra-server on vsock', { ...ENCLAVE, acra: { listen: 'vsock://3:1' } }, 'acra.listen'],
  [
    'a soft memory limit at the end',
    { ...ENCLAVE, acra: { memoryLimitMiB: 512, maxMemoryMiB: 512 } },
    'memoryLimitMiB must be below maxMemoryMiB',
  ],
  [
    'a soft memory limit beyond the end',
    { ...ENCLAVE, acra: { memoryLimitMiB: 513, maxMemoryMiB: 512 } },
    'memoryLimitMiB must be below maxMemoryMiB',
  ],
  [
    'a soft memory limit beyond the end that is there by default',
    { ...ENCLAVE, acra: { memoryLimitMiB: 4096 } },
    'memoryLimitMiB must be below maxMemoryMiB',
  ],
  [
    'as many sessions as connections to the database',
    { ...ENCLAVE, ingressLimits: { maxConnections: 200 }, egressLimits: { maxConnections: 209 } },
    'egressLimits.maxConnections: found 209; must be at least 210',
  ],
  [
    'more sessions than the connections to the database that there are by default',
    { ...ENCLAVE, ingressLimits: { maxConnections: 501 } },
    'egressLimits.maxConnections: found nothing; must be at least 511',
  ],
  ['no memory at all', { ...ENCLAVE, acra: { memoryLimitMiB: 0 } }, 'acra.memoryLimitMiB'],
  ['no process at all', { ...ENCLAVE, acra: { maxTasks: 0 } }, 'acra.maxTasks'],
];

for (const [what, document, says] of REFUSED) {
  t.test(`rejects ${what} (CONFIG_INVALID)`, async (t) => {
    const error = throwsCode(() => load(t, document), ConfigError, 'CONFIG_INVALID');
    t.match(error.message, says);
    t.match(error.message, 'enclave.yaml', 'names the file');
  });
}

t.test('rejects several mistakes at once, each named', async (t) => {
  const document = { ...ENCLAVE, version: 9, name: 'Ünnamed', colour: 'red' };
  const { message } = throwsCode(() => load(t, document), ConfigError, 'CONFIG_INVALID');
  for (const path of ['version', 'name', 'colour']) t.match(message, path);
});

t.test('rejects broken YAML with its line (CONFIG_SYNTAX)', async (t) => {
  const { message } = throwsCode(() => load(t, 'version: 1\nname: [\n'), ConfigError, 'CONFIG_SYNTAX');
  t.match(message, /enclave\.yaml:\d+:\d+/);
});

t.test('rejects a key that is given twice (CONFIG_SYNTAX)', async () => {
  throwsCode(() => load(t, 'version: 1\nversion: 1\n'), ConfigError, 'CONFIG_SYNTAX');
});

t.test('rejects a file that is not there (CONFIG_FILE_READ)', async (t) => {
  throwsCode(() => loadConfig(enclaveSchema, join(temporaryFolder(t), 'none.yaml')), ConfigError, 'CONFIG_FILE_READ');
});

const HOST = {
  version: 1,
  enclave: { transport: 'vsock', cid: 16 },
  database: { connect: 'tcp://db:5432' },
  kms: { connect: 'tcp://kms.eu-central-1.amazonaws.com:443' },
};

function loadHost(t: TapTest, document: object) {
  const file = join(temporaryFolder(t), 'host-proxy.yaml');
  writeFileSync(file, stringify(document));
  return loadConfig(hostProxySchema, file);
}

t.test('keeps the metadata service at its link-local address by default', async (t) => {
  t.same(loadHost(t, HOST).imds.connect, { kind: 'tcp', host: '169.254.169.254', port: 80 });
});

t.test('rejects to go without KMS where no keys are kept either (CONFIG_INVALID)', async (t) => {
  const { kms: _, ...without } = HOST;
  t.match(throwsCode(() => loadHost(t, without), ConfigError, 'CONFIG_INVALID').message, /kms: .*must be given/);
  const kms2 = { connect: 'tcp://kms.us-east-1.amazonaws.com:443' };
  const loaded = loadHost(t, { ...without, kms2, keys: { folder: '/var/lib/acra-enclave/keys' } });
  t.match([loaded.kms, loaded.kms2?.connect, loaded.kms3], [undefined, { port: 443 }, undefined]);
});

t.test('rejects an enclave CID that belongs to hypervisor, local or host (CONFIG_INVALID)', async (t) => {
  for (const cid of [0, 1, 2, 3]) {
    throwsCode(() => loadHost(t, { ...HOST, enclave: { transport: 'vsock', cid } }), ConfigError, 'CONFIG_INVALID');
  }
  t.equal(loadHost(t, { ...HOST, enclave: { transport: 'vsock', cid: 4 } }).enclave.cid, 4);
});

t.test('rejects a socket path with plain vsock, and demands one with the hybrid form (CONFIG_INVALID)', async () => {
  for (const enclave of [
    { transport: 'vsock', cid: 16, path: '/a' },
    { transport: 'vsock-uds', cid: 16 },
  ]) {
    throwsCode(() => loadHost(t, { ...HOST, enclave }), ConfigError, 'CONFIG_INVALID');
  }
});

for (const [what, document, says] of [
  ['a missing section', { ...ENCLAVE, database: undefined }, /database: found nothing; must be keys with values/],
  ['a section that is a text', { ...ENCLAVE, kms: 'key' }, /kms: found "key"; must be keys with values/],
  [
    'a number that is a text',
    { ...ENCLAVE, ports: { ingress: 'x' } },
    /ports\.ingress: found "x"; must be a (whole )?number/,
  ],
  [
    'a switch that is a text',
    { ...ENCLAVE, acra: { poisonDetection: 'yes' } },
    /poisonDetection: .*must be true or false/,
  ],
  ['another version', { ...ENCLAVE, version: 2 }, /version: found 2; must be 1/],
  ['a file that is a list', [1], /\(top level\): found \[1\]; must be keys with values/],
  ['an empty file', '', /\(top level\): .*must be keys with values/],
] as const)
  t.test(`tells ${what} in the words of the file (CONFIG_INVALID)`, async (t) => {
    const { message } = throwsCode(() => load(t, document), ConfigError, 'CONFIG_INVALID');
    t.match(message, says);
    t.notMatch(message, /Invalid|received|undefined/);
  });

t.test('tells a transport that there is not in the words of the file (CONFIG_INVALID)', async (t) => {
  const file = join(temporaryFolder(t), 'host-proxy.yaml');
  writeFileSync(file, stringify({ version: 1, enclave: { transport: 'tcp' }, database: { connect: 'tcp://a:1' } }));
  const { message } = throwsCode(() => loadConfig(hostProxySchema, file), ConfigError, 'CONFIG_INVALID');
  t.match(message, /enclave\.transport: found "tcp"; must be/);
  t.notMatch(message, /Invalid|received|undefined/);
});

t.test('lists an empty region once (CONFIG_INVALID)', async (t) => {
  const document = { ...ENCLAVE, kms: { ...ENCLAVE.kms, region: '' } };
  const { message } = throwsCode(() => load(t, document), ConfigError, 'CONFIG_INVALID');
  t.equal(message.split('kms.region').length, 2, message);
});
