/** Logins at the database but for the usual one, through the whole product: verifiers, two secrets at a time, clients' own passwords. */
import t from 'tap';
import { APPLICATION } from '../../cli/demo/database.ts';
import type { Stack } from '../../cli/demo/stack.ts';
import { withoutPsql } from '../support/psql.ts';
import { logLines, type ServingStack, servingStack, step } from '../support/stack.ts';
import { psqlThrough } from './support/enclave-psql.ts';
import { connect, keepsOutOfLogs, outcome } from './support/logins.ts';
import { changeInDatabase, verifierOf } from './support/verifier-login.ts';

const PASSWORDS = { first: 'first of the application', next: 'next of the application', other: 'known to nobody' };

/** @returns what it prints, also of an error */
function psql(serving: ServingStack, password: string, settings: string): Promise<string> {
  return psqlThrough(serving, { root: serving.stack.parts.clientFiles.applicationCa, password }, settings);
}

const events = ({ enclave }: Stack, event: string) =>
  logLines(enclave, 'supervisor').filter((line) => line.event === event);

/** What is secret of a verifier's text: its keys. */
const keysOf = (text: string): string[] => text.split('$').at(-1)?.split(':') ?? [];

t.test('checks passwords against verifiers, and logs in with what the proof leaves (login: verifier)', async (t) => {
  const [first, next] = [await verifierOf(PASSWORDS.first), await verifierOf(PASSWORDS.next)];
  const serving = await servingStack(t, {
    enclaveSettings: { database: { login: 'verifier' } },
    databaseSecrets: { secret: first, nextSecret: next },
  });
  const { stack } = serving;
  await changeInDatabase(stack, first);

  await t.test('bound to the certificate of the enclave by default, unbound where the client wants it', async (t) => {
    const session = await connect(serving, { password: PASSWORDS.first, enableChannelBinding: true });
    await session.query(
      `INSERT INTO patients (id, name, email, diagnosis) VALUES (1, 'Ada', 'ada@example.org', 'flu')`,
    );
    t.same((await session.query('SELECT diagnosis FROM patients')).rows, [{ diagnosis: 'flu' }]);
    await session.end();
    t.equal(await outcome(serving, { password: PASSWORDS.first }), 'in as application');
  });

  await t.test('for psql, which may demand both SCRAM and the binding', { skip: withoutPsql }, async (t) => {
    t.equal(await psql(serving, PASSWORDS.first, ''), '42');
    t.equal(await psql(serving, PASSWORDS.first, 'channel_binding=require'), '42');
    t.equal(await psql(serving, PASSWORDS.first, 'channel_binding=disable'), '42');
    t.match(await psql(serving, PASSWORDS.other, ''), 'FATAL:  password authentication failed');
  });

  await t.test('and rejects every other password, user and database in the same words (28P01)', async (t) => {
    const denied = '28P01 password authentication failed';
    t.equal(await outcome(serving, { password: PASSWORDS.other }), denied);
    t.equal(await outcome(serving, { password: PASSWORDS.next }), denied);
    t.equal(await outcome(serving, { password: PASSWORDS.first, user: 'nobody' }), denied);
    t.equal(await outcome(serving, { password: PASSWORDS.first, user: 'owner' }), denied);
    t.equal(await outcome(serving, { password: PASSWORDS.first, database: 'postgres' }), denied);
  });

  await t.test('takes the next verifier as soon as the database has it, without one failed login', async (t) => {
    const open = await connect(serving, { password: PASSWORDS.first });
    await changeInDatabase(stack, next, PASSWORDS.first);
    t.equal(await outcome(serving, { password: PASSWORDS.next }), 'in as application');
    t.match(await outcome(serving, { password: PASSWORDS.first }), '28P01');
    t.same((await open.query('SELECT 1 AS one')).rows, [{ one: 1 }], 'an open session goes on');
    await open.end();
  });

  await t.test('says that the verifiers are stale where the database has another (28P01, an alarm)', async (t) => {
    await changeInDatabase(stack, PASSWORDS.other, PASSWORDS.next);
    const told = stack.enclave.supervisor?.untilEvent('guard.verifier-stale');
    t.match(await outcome(serving, { password: PASSWORDS.next }), '28P01');
    t.match(await told, { level: 'error', user: APPLICATION.user });
  });

  await t.test('and tells the operator what it did and why, without a secret', async (t) => {
    await stack.enclave.until(() => events(stack, 'guard.verifier-stale').length > 0, step());
    const details = events(stack, 'guard.session-ended').flatMap(({ detail }) => detail ?? []);
    t.same([...new Set(details)].sort(), [
      'enclave.yaml does not let this certificate be that user',
      'enclave.yaml does not let this user use that database',
      'the password is wrong',
    ]);
    t.match(events(stack, 'guard.secret-in-use'), [{ user: APPLICATION.user, setting: 'nextSecret' }]);
    t.equal(events(stack, 'guard.verifier-stale').length, 1);
    keepsOutOfLogs(t, stack, [...Object.values(PASSWORDS), first, next, ...keysOf(first), ...keysOf(next)]);
  });
});

t.test('goes on when the database’s password becomes the next one (login: certificate)', async (t) => {
  const serving = await servingStack(t, {
    databaseSecrets: { secret: APPLICATION.password, nextSecret: PASSWORDS.next },
  });
  const { stack } = serving;
  const open = await connect(serving, {});
  await changeInDatabase(stack, PASSWORDS.next);
  t.equal(await outcome(serving, {}), 'in as application');
  t.same((await open.query('SELECT 1 AS one')).rows, [{ one: 1 }], 'an open session goes on');
  await open.end();
  await changeInDatabase(stack, APPLICATION.password, PASSWORDS.next);
  t.equal(await outcome(serving, {}), 'in as application', 'and back');
  await changeInDatabase(stack, PASSWORDS.other);
  const told = stack.enclave.supervisor?.untilEvent('guard.password-refused');
  t.match(await outcome(serving, {}), '28P01');
  t.match(await told, { level: 'error', user: APPLICATION.user });
  const inUse = events(stack, 'guard.secret-in-use').map(({ setting }) => setting);
  t.same(inUse, ['nextSecret', 'secret']);
  keepsOutOfLogs(t, stack, [APPLICATION.password, PASSWORDS.next, PASSWORDS.other]);
});

t.test('lets clients log in with passwords of their own, and channel binding off (login: client)', async (t) => {
  const serving = await servingStack(t, { enclaveSettings: { database: { login: 'client' } } });
  const { password } = APPLICATION;
  t.equal(await outcome(serving, { password }), 'in as application');
  t.match(await outcome(serving, { password: PASSWORDS.other }), '28P01');
  if (withoutPsql) return;
  t.equal(await psql(serving, password, 'channel_binding=disable'), '42');
  t.match(await psql(serving, password, ''), 'channel binding');
});
