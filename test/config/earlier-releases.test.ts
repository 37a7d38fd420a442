/** Configuration files of earlier releases still load, or the change is named (test/vectors/config/PROVENANCE.md). */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { parse } from 'yaml';
import { enclaveSchema } from '../../config/enclave.ts';
import { hostProxySchema } from '../../config/host-proxy.ts';
import { loadConfig } from '../../config/load.ts';
import { PROJECT } from '../project/imports.ts';

const vector = (name: string) => join(PROJECT, 'test/vectors/config', name);

for (const name of ['8e1044c-enclave.yaml', '8e1044c-enclave-full.yaml'])
  t.test(`keeps reading ${name}`, async (t) => {
    t.equal(loadConfig(enclaveSchema, vector(name)).version, 1);
  });

for (const name of ['8e1044c-host-proxy.yaml', '8e1044c-host-proxy-full.yaml'])
  t.test(`keeps reading ${name}`, async (t) => {
    t.equal(loadConfig(hostProxySchema, vector(name)).version, 1);
  });

t.test('names what a key is called now', async (t) => {
  const old = parse(readFileSync(vector('8e1044c-enclave-full.yaml'), 'utf8'));
  const result = enclaveSchema.safeParse({ ...old, health: { ...old.health, statusIntervalMs: 5000 } });
  t.match(result.error?.issues, [{ path: ['health', 'statusIntervalMs'], message: /metricsIntervalMs/ }]);
});
