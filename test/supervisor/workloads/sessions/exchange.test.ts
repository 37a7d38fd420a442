/** Keys that are exchanged while clients work: with real sessions, guards and acra-servers. */
import { setImmediate } from 'node:timers/promises';
import t from 'tap';
import { APPLICATION } from '../../../../cli/demo/database.ts';
import { SecretBuffer } from '../../../../runtime/secret-buffer.ts';
import { changeInDatabase } from '../../../integration/support/verifier-login.ts';
import { copy } from '../../../support/copy-query.ts';
import { step } from '../../../support/stack.ts';
import { FleetRig } from './support/fleet-rig.ts';
import { INSERT, SELECT, worker } from './support/worker.ts';

const pidsOf = ({ fleet }: FleetRig, kind: string) =>
  fleet.members.filter(({ id }) => id.startsWith(kind)).map(({ child }) => child.pid);

t.test(
  'keeps every session, statement, transaction and COPY while all keys are exchanged again and again',
  async (t) => {
    const rig = await FleetRig.start(t);
    const [first, second, inTransaction, copying] = await Promise.all([
      rig.connect(),
      rig.connect(rig.reports),
      rig.connect(),
      rig.connect(),
    ]);
    const workers = [worker(first, 10_000), worker(second, 20_000)];
    await inTransaction.query('BEGIN');
    await inTransaction.query(INSERT, [1, 'A', 'a@example.org', 'gout']);
    const begun = Promise.withResolvers<void>();
    const resumed = Promise.withResolvers<void>();
    const rows = Array.from({ length: 200 }, (_, index) => Buffer.from(`${index + 100}\tB\t${index}@b.org\tflu\n`));
    const copied = copy(copying, 'COPY patients (id, name, email, diagnosis) FROM STDIN', {
      data: rows,
      pause: async () => {
        begun.resolve();
        await resumed.promise;
      },
    });
    await begun.promise;
    const guards = pidsOf(rig, 'guard');
    const engines = pidsOf(rig, 'acra');

    await rig.change(await rig.rewrapped());
    t.same(pidsOf(rig, 'guard'), guards);
    t.notOk(
      pidsOf(rig, 'acra').some((pid) => engines.includes(pid)),
      'each acra-server is another one',
    );
    await rig.change(await rig.withLateClient());
    await rig.change(await rig.rewrapped());

    resumed.resolve();
    t.equal((await copied).tag, 'COPY 200');
    t.same((await inTransaction.query(SELECT, [1])).rows, [{ email: 'a@example.org', diagnosis: 'gout' }]);
    await inTransaction.query(INSERT, [2, 'A', 'b@example.org', 'flu']);
    await inTransaction.query('COMMIT');
    for (const each of workers) t.ok((await each.end()) > 0);
    const found = await first.query("SELECT count(*) FROM patients WHERE email = '7@b.org' AND id >= 100");
    t.same(found.rows, [{ count: '1' }], 'what was stored before is found and read behind it');
    for (const each of [first, second, inTransaction, copying]) await each.end();
  },
);

t.test('lets a client that was added connect at once, and no earlier', async (t) => {
  const rig = await FleetRig.start(t);
  await t.rejects(rig.connect(rig.late), { code: '28000' });
  await rig.change(await rig.withLateClient());
  const late = await rig.connect(rig.late);
  await late.query(INSERT, [1, 'A', 'a@example.org', 'gout']);
  t.same((await late.query(SELECT, [1])).rows, [{ email: 'a@example.org', diagnosis: 'gout' }]);
  await late.end();
});

t.test('logs in by other passwords from then on, and leaves sessions that are open alone', async (t) => {
  const rig = await FleetRig.start(t);
  const open = await rig.connect();
  const secrets = (...texts: string[]) =>
    new Map([[APPLICATION.user, texts.map((text) => SecretBuffer.take(Buffer.from(text)))]]);
  await rig.change({ ...(await rig.rewrapped()), databaseSecrets: secrets(APPLICATION.password, 'another') });
  await (await rig.connect()).end();
  await changeInDatabase(rig, 'another');
  await (await rig.connect()).end();
  await rig.change({ ...(await rig.rewrapped()), databaseSecrets: secrets('another') });
  await (await rig.connect()).end();
  // A guard that comes later has them too.
  const guard = rig.fleet.members.find(({ id }) => id.startsWith('guard'));
  t.same((await open.query('SELECT 1 AS one')).rows, [{ one: 1 }]);
  const ended = new Promise<void>((resolve) => open.once('end', () => resolve()));
  process.kill(guard?.child.pid ?? 0, 'SIGKILL');
  await ended;
  await (await rig.connect()).end();
});

t.test('serves a client no more whose keys are gone, and everybody else', async (t) => {
  const rig = await FleetRig.start(t);
  const [staying, leaving] = [await rig.connect(), await rig.connect(rig.reports)];
  const told = new Promise<Error>((resolve) => leaving.once('error', resolve));
  const { application } = rig.ids;
  await rig.change({ ...(await rig.rewrapped()), keyClients: [application] });
  t.match(await told, { code: '57P01' });
  t.same((await staying.query('SELECT 1 AS one')).rows, [{ one: 1 }]);
  await t.rejects(rig.connect(rig.reports), { code: '28000' });
  await staying.end();
});

t.test('goes back to the old keys with all when an acra-server does not come up with the new ones', async (t) => {
  const rig = await FleetRig.start(t);
  const [first, second] = [await rig.connect(), await rig.connect(rig.reports)];
  const workers = [worker(first, 10_000), worker(second, 20_000)];
  const { current } = rig.keys;
  // What acra-server refuses at its start: keys under another master key than it is given.
  const bad = { ...(await rig.rewrapped()), masterKey: SecretBuffer.take(Buffer.alloc(32, 9)) };
  await t.rejects(rig.keys.change(bad, step()), { code: 'KEYS_NOT_EXCHANGED' });
  for (const each of [bad.masterKey, ...[...bad.databaseSecrets.values()].flat()]) each.dispose();
  t.equal(rig.keys.current, current);
  await (await rig.connect()).end();
  for (const each of workers) t.ok((await each.end()) > 0);
  await rig.change(await rig.rewrapped());
  await (await rig.connect()).end();
  for (const each of [first, second]) await each.end();
});

t.test('finds without any session that no acra-server starts with the new keys', async (t) => {
  const rig = await FleetRig.start(t);
  const bad = { ...(await rig.rewrapped()), masterKey: SecretBuffer.take(Buffer.alloc(32, 9)) };
  await t.rejects(rig.keys.change(bad, step()), { code: 'KEYS_NOT_EXCHANGED' });
  await (await rig.connect()).end();
});

t.test('gives a change up when it is stopped, without being held by it', async (t) => {
  const rig = await FleetRig.start(t);
  const client = await rig.connect();
  const next = await rig.rewrapped();
  const changing = rig.keys.change(next, step());
  const refused = t.rejects(changing, { code: 'KEYS_NOT_EXCHANGED' });
  while (!rig.logger.events().includes('child.replaced')) await setImmediate();
  await rig.fleet.stop();
  await refused;
  await client.end().catch(() => undefined);
});

t.test('leaves an identity closed that has met a poison record, which keeps no other from going over', async (t) => {
  const rig = await FleetRig.start(t);
  await rig.storePoison(7);
  const [reading, staying] = [await rig.connect(), await rig.connect(rig.reports)];
  await t.rejects(reading.query('SELECT name FROM patients WHERE id = 7'));
  while (!rig.logger.events().includes('identity.closed')) await setImmediate();
  await rig.change(await rig.rewrapped());
  await t.rejects(rig.connect(), { code: '57P03' });
  await staying.query(INSERT, [1, 'A', 'a@example.org', 'gout']);
  t.same((await staying.query(SELECT, [1])).rows, [{ email: 'a@example.org', diagnosis: 'gout' }]);
  await staying.end();
});
