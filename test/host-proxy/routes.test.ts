import t from 'tap';
import { DATABASE_HEADROOM } from '../../config/fields.ts';
import { hostProxySchema } from '../../config/host-proxy.ts';
import { loadConfig } from '../../config/load.ts';
import { enclaveRoutes } from '../../host-proxy/routes.ts';
import { PROJECT } from '../project/imports.ts';

const config = loadConfig(hostProxySchema, `${PROJECT}/examples/host-proxy.yaml`);

t.test('keeps room on the way to the database for the health probe beside a full house', async (t) => {
  const database = enclaveRoutes(config).find(({ label }) => label === 'database');
  t.equal(database?.limits.maxConnections, config.limits.maxConnections + DATABASE_HEADROOM);
});

t.test('keeps every port that the enclave dials for that enclave alone', async (t) => {
  for (const { label, allowedCids } of enclaveRoutes(config)) t.same(allowedCids, [config.enclave.cid], label);
});
