/** AcraCensor in an acra-server in line: refuses what its measured configuration forbids, and nothing else. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { connectThroughEnclave } from '../../cli/demo/clients.ts';
import { withoutRealAcraServer } from '../acra/support/real-acra-server.ts';
import { prepareStack, step } from '../support/stack.ts';

const CENSOR = `version: 0.96.0
handlers:
  - handler: deny
    queries: ["SELECT diagnosis FROM patients"]
  - handler: allowall
`;

t.test('with the real acra-server', { skip: withoutRealAcraServer }, async (t) => {
  const enclaveSettings = { ingress: { tls: 'passthrough' }, acra: { censorConfig: 'censor.yaml' } };
  const stack = await prepareStack(t, { enclaveSettings });
  writeFileSync(join(stack.enclaveFolder, 'censor.yaml'), CENSOR);
  await stack.allowMeasuredEnclave();
  await stack.enclave.startHostProxy();
  stack.enclave.startSupervisor();
  const session = await connectThroughEnclave(stack, await stack.enclave.untilServing(step()));
  await session.query("INSERT INTO patients (id, name, email, diagnosis) VALUES (1, 'A', 'a@example.org', 'gout')");
  const { rows } = await session.query('SELECT name, diagnosis FROM patients WHERE id = 1');
  t.same(rows, [{ name: 'A', diagnosis: 'gout' }]);
  const refused: unknown = await session.query('SELECT diagnosis FROM patients').catch((error: unknown) => error);
  t.match(refused, { code: '42000', message: 'AcraCensor blocked this query' });
  t.same((await session.query('SELECT name FROM patients')).rows, [{ name: 'A' }], 'the session goes on');
  await session.end();
});
