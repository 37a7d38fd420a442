/** Values up to the longest that the enclave takes, and those beyond it. */
import { createHash } from 'node:crypto';
import t from 'tap';
import { type Migrating, migrating, SEARCHABLE } from './support/migrating.ts';

const MIB = 1024 * 1024;
const insert = ({ owner }: Migrating, type: string, id: number, bytes: number) =>
  owner.query(`INSERT INTO patients (id, name) VALUES ($1::int, ($1 || repeat('x', $2 - length($1::text)))::${type})`, [
    id,
    bytes,
  ]);

/** A bytea of this size in text would be longer than a message may be. */
const LONG_BYTEA = 9 * MIB;

/** The longest text is encrypted in the walk through the how-to (test/integration/existing-data.test.ts). */
t.test(`encrypts and proves bytea of ${LONG_BYTEA} bytes beside short ones`, async (t) => {
  const rig = await migrating(
    t,
    'data_type: bytes',
    'CREATE TABLE patients (id int PRIMARY KEY, name bytea, ward text)',
  );
  for (let id = 1; id <= 6; id += 1) await insert(rig, 'bytea', id, id === 3 ? LONG_BYTEA : 300);
  const before = (await rig.owner.query('SELECT id, md5(name) FROM patients ORDER BY id')).rows;
  await rig.prepare();
  t.match(await rig.encrypt(), { outcome: 'switched', filled: 6, refused: [] });
  t.match(await rig.verify({ isBeforeDrop: true }), { outcome: 'proved', rows: 6, values: 6, offenders: [] });
  const client = await rig.postgres.connect();
  const { rows } = await client.query('SELECT id, name FROM patients ORDER BY id');
  const md5 = (value: Buffer) => createHash('md5').update(value).digest('hex');
  t.same(
    rows.map(({ id, name }) => ({ id, md5: md5(name) })),
    before,
    'applications read the same',
  );
});

t.test('finds what is wrong with long values', async (t) => {
  const rig = await migrating(t, SEARCHABLE, 'CREATE TABLE patients (id int PRIMARY KEY, name text, ward text)');
  for (let id = 1; id <= 5; id += 1) await insert(rig, 'text', id, 400_000);
  await rig.prepare();
  await rig.encrypt({ old: 'drop' });
  const { owner } = rig;
  await owner.query('ALTER TABLE patients DROP CONSTRAINT acra_belt_name');
  await owner.query('UPDATE patients SET name = set_byte(name, 300000, 255 - get_byte(name, 300000)) WHERE id = 2');
  await owner.query('UPDATE patients SET name = substr(name, 34) WHERE id = 3');
  await owner.query(
    'UPDATE patients SET name = (SELECT substr(name, 1, 33) FROM patients WHERE id = 5) || substr(name, 34) WHERE id = 4',
  );
  const { outcome, offenders } = await rig.verify();
  t.equal(outcome, 'faults');
  t.same(
    offenders.map(({ key, fault }) => [...key, fault]),
    [
      ['2', 'foreign'],
      ['3', 'unhashed'],
      ['4', 'foreign'],
    ],
  );
});

t.test('names rows whose values are too long by their keys, encrypts the others, and makes no switch', async (t) => {
  const rig = await migrating(t, 'data_type: str', 'CREATE TABLE patients (id int PRIMARY KEY, name text, ward text)');
  for (let id = 1; id <= 30; id += 1) await insert(rig, 'text', id, 100);
  // Longer than the enclave takes of a client, than any enclave does, and than it passes on.
  for (const [id, mib] of [
    [5, 17],
    [12, 33],
    [13, 70],
    [30, 70],
  ] as const)
    await rig.owner.query("UPDATE patients SET name = repeat('x', $2) WHERE id = $1", [id, mib * MIB]);
  await rig.prepare();
  t.match(await rig.encrypt(), {
    outcome: 'refused',
    filled: 26,
    refused: [
      { key: ['5'], sqlState: '54000' },
      { key: ['12'], sqlState: '54000' },
      { key: ['13'], sqlState: '08P01' },
      { key: ['30'], sqlState: '08P01' },
    ],
  });
  t.equal((await rig.look()).side, 'plain');
  await rig.owner.query("UPDATE patients SET name = 'short' WHERE length(name) > 1000");
  t.match(await rig.encrypt(), { outcome: 'switched', filled: 4 });
  t.match(await rig.verify({ isBeforeDrop: true }), { outcome: 'proved', rows: 30, values: 30 });
});
