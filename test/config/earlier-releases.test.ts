/** Configuration files of earlier releases still load, or the change is named (test/vectors/config/PROVENANCE.md). */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { parse, stringify } from 'yaml';
import { enclaveSchema } from '../../config/enclave.ts';
import { ConfigError } from '../../config/errors.ts';
import { hostProxySchema } from '../../config/host-proxy.ts';
import { loadConfig } from '../../config/load.ts';
import { PROJECT } from '../project/imports.ts';
import { throwsCode } from '../support/coded-error.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const vector = (name: string) => join(PROJECT, 'test/vectors/config', name);

for (const name of ['8e1044c-enclave.yaml', '8e1044c-enclave-full.yaml'])
  t.test(
    `keeps reading ${name} once it says that TLS ends in acra-server, and names that line until then`,
    async (t) => {
      const { message } = throwsCode(() => loadConfig(enclaveSchema, vector(name)), ConfigError, 'CONFIG_INVALID');
      t.match(message, 'database.users: found nothing; must name at least one user');
      t.match(message, 'as releases before did, set ingress.tls: passthrough');
      const file = join(temporaryFolder(t), 'enclave.yaml');
      const old = parse(readFileSync(vector(name), 'utf8'));
      writeFileSync(file, stringify({ ...old, ingress: { tls: 'passthrough' } }));
      t.match(loadConfig(enclaveSchema, file), { version: 1, ingress: { tls: 'passthrough' } });
    },
  );

for (const name of ['8e1044c-host-proxy.yaml', '8e1044c-host-proxy-full.yaml'])
  t.test(`keeps reading ${name}`, async (t) => {
    t.equal(loadConfig(hostProxySchema, vector(name)).version, 1);
  });

t.test('names what a key is called now', async (t) => {
  const old = parse(readFileSync(vector('8e1044c-enclave-full.yaml'), 'utf8'));
  const result = enclaveSchema.safeParse({ ...old, health: { ...old.health, statusIntervalMs: 5000 } });
  t.match(result.error?.issues, [{ path: ['health', 'statusIntervalMs'], message: /metricsIntervalMs/ }]);
});
