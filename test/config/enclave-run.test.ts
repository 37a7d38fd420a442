import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test as TapTest } from 'tap';
import { stringify } from 'yaml';
import { z } from 'zod';
import { enclaveSchema } from '../../config/enclave.ts';
import { ConfigError } from '../../config/errors.ts';
import { hostProxySchema } from '../../config/host-proxy.ts';
import { loadConfig } from '../../config/load.ts';
import { throwsCode } from '../support/coded-error.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const VSOCK = { transport: 'vsock', cid: 16 };
const HYBRID = { transport: 'vsock-uds', cid: 16, path: '/run/vm' };
const NITRO = { driver: 'nitro-cli', image: '/a.eif' };
const QEMU = { driver: 'qemu', image: '/a.eif' };

function load(t: TapTest, enclave: object, more: object = {}) {
  const file = join(temporaryFolder(t), 'host-proxy.yaml');
  const rest = { version: 1, database: { connect: 'tcp://db:5432' }, kms: { connect: 'tcp://kms:443' } };
  writeFileSync(file, stringify({ ...rest, enclave, ...more }));
  return loadConfig(hostProxySchema, file);
}

t.test('keeps a minimal section usable: everything but driver and image has a default', async (t) => {
  const { run } = load(t, { ...VSOCK, run: NITRO }).enclave;
  t.match(run, { cpuCount: 2, memoryMiB: 1_024, debug: false, program: 'nitro-cli', heartbeatMs: 180_000 });
  t.match(run?.restart, { policy: 'on-failure', maxRestarts: 5 });
  t.match(load(t, { ...HYBRID, run: QEMU }).enclave.run, { vhostDeviceVsock: 'vhost-device-vsock' });
  t.equal(load(t, VSOCK).enclave.run, undefined, 'host-proxy alone needs none');
});

t.test('gives the enclave more time by default than its own boot phases may take', async (t) => {
  const { run } = load(t, { ...VSOCK, run: NITRO }).enclave;
  const {
    keySetMs: _ofPeople,
    egressMs,
    credentialsMs,
    kmsEntropyMs,
    masterKeyMs,
    keystoreMs,
    acraMs,
    readyMs,
    ...others
  } = enclaveSchema.shape.deadlines.parse({});
  t.same(others, {}, 'all phases are counted');
  t.ok(Number(run?.readyMs) > egressMs + credentialsMs + kmsEntropyMs + masterKeyMs + keystoreMs + acraMs + readyMs);
});

for (const [what, enclave, says] of [
  [
    'qemu over vsock',
    { ...VSOCK, run: QEMU },
    'enclave.run.driver: found "qemu"; transport vsock is run by the driver nitro-cli',
  ],
  ['nitro-cli over vsock-uds', { ...HYBRID, run: NITRO }, 'transport vsock-uds is run by the driver qemu'],
  ['an image that is no absolute path', { ...VSOCK, run: { ...NITRO, image: 'a.eif' } }, 'enclave.run.image'],
  ['no image', { ...VSOCK, run: { driver: 'nitro-cli' } }, 'enclave.run.image'],
  ['no memory', { ...VSOCK, run: { ...NITRO, memoryMiB: 0 } }, 'enclave.run.memoryMiB'],
  ['no CPU', { ...VSOCK, run: { ...NITRO, cpuCount: 0 } }, 'enclave.run.cpuCount'],
  ['debug mode under qemu', { ...HYBRID, run: { ...QEMU, debug: true } }, 'unknown key "debug"'],
  ['a name that QEMU would take for options', { ...HYBRID, run: { ...QEMU, name: 'a,b' } }, 'enclave.run.name'],
  ['a program with arguments', { ...VSOCK, run: { ...NITRO, program: 'sudo nitro-cli' } }, 'enclave.run.program'],
  [
    'another restart policy',
    { ...VSOCK, run: { ...NITRO, restart: { policy: 'sometimes' } } },
    'enclave.run.restart.policy',
  ],
] as const) {
  t.test(`rejects ${what} (CONFIG_INVALID)`, async (t) => {
    t.match(throwsCode(() => load(t, enclave), ConfigError, 'CONFIG_INVALID').message, says);
  });
}

t.test('rejects a runtime folder whose sockets would have too long a name (CONFIG_INVALID)', async (t) => {
  load(t, VSOCK, { runtimeFolder: `/${'a'.repeat(93)}` });
  throwsCode(() => load(t, VSOCK, { runtimeFolder: `/${'a'.repeat(94)}` }), ConfigError, 'CONFIG_INVALID');
});

t.test('keeps the section in the JSON Schema', async (t) => {
  const schema = JSON.stringify(z.toJSONSchema(hostProxySchema, { io: 'input' }));
  for (const key of ['heartbeatMs', 'vhostDeviceVsock', 'maxRestarts']) t.ok(schema.includes(`"${key}"`));
});
