/** `config check` and `config schema` for an enclave with any application, as processes. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { stringify } from 'yaml';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { acraEnclave } from './support/acra-enclave.ts';

const SMALLEST = { version: 1, workload: 'app', name: 'web', programs: { web: { command: ['/bin/web'] } } };

t.test('takes an enclave.yaml without Acra, and says which files are not there yet', async (t) => {
  const folder = temporaryFolder(t);
  const file = join(folder, 'enclave.yaml');
  const ingress = { web: { to: 'tcp://127.0.0.1:80', tls: 'ended', clientCa: 'tls/clients.pem' } };
  writeFileSync(file, stringify({ ...SMALLEST, ingress, tls: { names: ['web.example.org'] } }));
  const { code, stdout } = await acraEnclave(['config', 'check', '--json', file]);
  t.equal(code, 0);
  t.same(JSON.parse(stdout), { valid: true, files: [file], missing: ['tls/clients.pem'], warnings: [] });
});

t.test('names every fault, each with its path (CONFIG_INVALID)', async (t) => {
  const file = join(temporaryFolder(t), 'enclave.yaml');
  writeFileSync(file, stringify({ ...SMALLEST, guard: {}, ingress: { web: { to: 'tcp://10.0.0.1:80' } } }));
  const { code, stderr } = await acraEnclave(['config', 'check', file]);
  t.not(code, 0);
  t.match(stderr, /CONFIG_INVALID/);
  t.match(stderr, /unknown key "guard"/);
  t.match(stderr, /ingress\.web\.to: found .*loopback/);
});

t.test('rejects a CA that is none', async (t) => {
  const folder = temporaryFolder(t);
  const kmsProxy = { regions: [{ region: 'eu-central-1', ca: 'ca.pem' }], allow: [], random: true };
  writeFileSync(join(folder, 'enclave.yaml'), stringify({ ...SMALLEST, kmsProxy }));
  writeFileSync(join(folder, 'ca.pem'), 'no certificate');
  const { code, stderr } = await acraEnclave(['config', 'check', join(folder, 'enclave.yaml')]);
  t.not(code, 0);
  t.match(stderr, /CERTIFICATE_|ca\.pem/);
});

t.test('prints the schemas of either workload', async (t) => {
  for (const [workload, field] of [
    ['acra', 'database'],
    ['app', 'programs'],
  ] as const) {
    const { stdout } = await acraEnclave(['config', 'schema', 'enclave', '--workload', workload]);
    t.ok(field in (JSON.parse(stdout) as { properties: object }).properties, workload);
  }
  const { code } = await acraEnclave(['config', 'schema', 'guard-list', '--workload', 'app']);
  t.not(code, 0);
});
