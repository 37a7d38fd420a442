/**
 * `database.login: rds-iam` through the whole product: the application's certificate is its login, the enclave makes a token with the
 * credentials of the emulated instance's role, and the emulated RDS computes its signature again before a real PostgreSQL is reached.
 */
import t from 'tap';
import { connectDirectly, connectThroughEnclave } from '../../cli/demo/clients.ts';
import { APPLICATION, OWNER } from '../../cli/demo/database.ts';
import { logLines, type ServingStack, servingStack, step } from '../support/stack.ts';
import { keepsOutOfLogs, outcome } from './support/logins.ts';

const LOGIN = { login: 'rds-iam' };

t.test('logs in by a token of the role, for whom the certificate may be and for nobody else', async (t) => {
  const serving = await servingStack(t, { rdsIam: true, enclaveSettings: { database: LOGIN } });
  const { stack } = serving;
  const { rds } = stack.parts;

  await t.test('and protected columns are protected as ever', async (t) => {
    t.equal(await outcome(serving), 'in as application');
    const session = await connectThroughEnclave(stack, serving.address);
    await session.query(
      `INSERT INTO patients (id, name, email, diagnosis) VALUES (1, 'Ada', 'ada@example.org', 'flu')`,
    );
    t.same((await session.query('SELECT diagnosis FROM patients')).rows, [{ diagnosis: 'flu' }]);
    await session.end();
    const owner = await connectDirectly(stack);
    const { rows } = await owner.query('SELECT diagnosis::text AS stored FROM patients');
    await owner.end();
    t.notMatch(rows[0].stored, 'flu');
    t.same(rds?.refusals, [], 'the database had nothing against the tokens');
  });

  await t.test('also after new credentials of the role', async (t) => {
    await stack.parts.cloud.imds.rotate();
    t.equal(await outcome(serving), 'in as application');
  });

  await t.test('and rejects another user before anybody makes a token (28000)', async (t) => {
    t.match(await outcome(serving, { user: OWNER.user }), '28000 this certificate may not be user');
    t.same(rds?.refusals, []);
  });

  await t.test('and no token is in any log', (t) => {
    keepsOutOfLogs(t, stack, ['X-Amz-Signature', 'X-Amz-Security-Token', 'Action=connect']);
    t.end();
  });
});

t.test('rejects where RDS does not take the token, and tells the operator (28000, guard.token-refused)', async (t) => {
  const settings = { database: { ...LOGIN, rdsIam: { region: 'us-east-1' } } };
  const serving = await servingStack(t, { rdsIam: true, enclaveSettings: settings });
  const told = serving.stack.enclave.supervisor?.untilEvent('guard.token-refused');
  t.equal(await outcome(serving), '28000 PAM authentication failed for user "application"');
  t.match(await told, { level: 'error', user: APPLICATION.user });
  t.match(serving.stack.parts.rds?.refusals, ['it is for rds-db in us-east-1']);
});

t.test('rejects a database that asks for something else than the token (28000)', async (t) => {
  const serving = await servingStack(t, { enclaveSettings: { database: LOGIN } });
  t.equal(await outcome(serving), '28000 the database asks for SCRAM; only a token in clear is answered');
  const { stack } = serving;
  await stack.enclave.until(() => ended(serving).length > 0, step());
  t.match(ended(serving)[0], { sqlState: '28000' });
});

t.test('rejects a database that asks for a password in clear where a token is not the login (28000)', async (t) => {
  const serving = await servingStack(t, { rdsIam: true });
  t.match(await outcome(serving), '28000 the database asks for a password in clear; only SCRAM-SHA-256 is answered');
});

const ended = ({ stack }: ServingStack) =>
  logLines(stack.enclave, 'supervisor').filter(({ event }) => event === 'guard.session-ended');
