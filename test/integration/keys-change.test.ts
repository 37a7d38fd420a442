/** Keys that change while the enclave serves: each by a set that it makes and is brought, without a session that notices, and old rows stay readable. */

import type { Client } from 'pg';
import t, { type Test } from 'tap';
import { databaseUserContext } from '../../acra/keystore/seal-file.ts';
import { APPLICATION } from '../../cli/demo/database.ts';
import type { KeyAction } from '../../keys/requests/key-request.ts';
import { logLines, prepareStack, step } from '../support/stack.ts';
import { connect, type KeptSet, Keys, setOf, tellDatabase, verifierIn } from './support/key-desk.ts';

const NEW_CLIENT = 'a'.repeat(128);
const diagnoses = async (client: Client) =>
  (await client.query('SELECT diagnosis FROM patients ORDER BY id')).rows.map(({ diagnosis }) => diagnosis);

async function serving(t: Test) {
  const stack = await prepareStack(t, { keysSource: 'parent' });
  await stack.allowMeasuredEnclave();
  await stack.enclave.startHostProxy();
  stack.enclave.startSupervisor();
  const keys = new Keys(stack);
  await keys.untilAwaited();
  const first = await keys.ceremony();
  await tellDatabase(stack, first);
  await keys.take(first);
  return { stack, keys, first, address: await stack.enclave.untilServing(step()) };
}

t.test('changes every kind of key under a session that goes on, and starts again with the last set', async (t) => {
  const { stack, keys, first, address } = await serving(t);
  const client = await connect(stack, address);
  const rows: string[] = [];
  const write = async (what: string) => {
    rows.push(what);
    await client.query('INSERT INTO patients VALUES ($1, $2, $3, $4)', [
      rows.length,
      'Ada',
      `${what}@example.org`,
      what,
    ]);
  };
  await write('first');
  let last: KeptSet = first;
  const clients = [...keys.clientIds];

  const changes: readonly KeyAction[] = [
    { kind: 'add-clients', clients: [NEW_CLIENT] },
    { kind: 'rotate-data', clients },
    { kind: 'rotate-master' },
    { kind: 'rotate-kms' },
    { kind: 'rotate-database', user: APPLICATION.user },
  ];
  for (const action of changes) {
    await t.test(action.kind, async (t) => {
      const { generation } = setOf(last);
      const made = await keys.make(action);
      const taken = await keys.take(made);
      t.equal(taken.generation, generation + 1);
      t.same(await keys.take(made), taken, 'brought once more, it is the one in use');
      await write(action.kind);
      t.same(await diagnoses(client), rows, 'in the session from before');
      const other = await connect(stack, address);
      t.same(await diagnoses(other), rows);
      await other.end();
      last = made;
    });
  }

  await t.test('and the database may be told of the second password before the first one goes', async (t) => {
    t.equal(setOf(last).secrets.length, 2);
    await client.query(`ALTER ROLE ${APPLICATION.user} PASSWORD '${verifierIn(last, 'nextSecret')}'`);
    const other = await connect(stack, address);
    t.same(await diagnoses(other), rows);
    await other.end();
    last = await keys.make({ kind: 'settle-database', user: APPLICATION.user });
    await keys.take(last);
    const [left, ...more] = setOf(last).secrets;
    t.same([left?.slot, more.length], ['secret', 0]);
    const third = await connect(stack, address);
    t.same(await diagnoses(third), rows);
    await third.end();
  });

  await t.test('each with a record that names generations and hashes, and nothing secret', async (t) => {
    const made = logLines(stack.enclave, 'supervisor').filter(({ event }) => event === 'keys.made');
    const taken = logLines(stack.enclave, 'supervisor').filter(({ event }) => event === 'keys.taken');
    t.same(
      made.map(({ action }) => action),
      ['ceremony', ...changes.map(({ kind }) => kind), 'settle-database'],
    );
    t.same(
      taken.map(({ generation }) => generation),
      made.map((_, index) => index + 1),
    );
    t.match(made[0], { approvedBy: 'anna', previous: null });
    t.equal(taken.at(-1)?.['sha256'], made.at(-1)?.['sha256']);
    t.notOk(JSON.stringify([made, taken]).includes(databaseUserContext(APPLICATION.user)));
  });

  await client.end();
  await stack.enclave.supervisor?.stop();
  stack.enclave.startSupervisor();
  await keys.untilAwaited();
  await keys.take(last);
  const again = await connect(stack, await stack.enclave.untilServing(step()));
  t.same(await diagnoses(again), rows, 'after a restart');
  await again.end();
});
