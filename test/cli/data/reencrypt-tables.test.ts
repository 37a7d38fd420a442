/** Tables that are not one alone, and columns of more than one form: what is encrypted anew of them, and what of them is not touched. */
import t from 'tap';
import { isReal } from '../../sessions/guard/support/guarded-postgres.ts';
import { type Reencrypting, reencrypting } from './support/reencrypting.ts';

t.setTimeout(240_000);

const CONFIG = `schemas:
  - table: patients
    columns: [id, note, ward]
    encrypted:
      - {column: note, data_type: str}
`;
const COLUMNS = '(id int PRIMARY KEY, note bytea, ward text)';

async function fill(rig: Reencrypting, rows: number): Promise<void> {
  const client = await rig.client();
  for (let id = 1; id <= rows; id += 1)
    await client.query('INSERT INTO patients (id, note, ward) VALUES ($1, $2, $3)', [id, `note ${id}`, 'A']);
  await client.end();
}

async function rowsOf(rig: Reencrypting): Promise<readonly object[]> {
  const client = await rig.client();
  const { rows } = await client.query('SELECT * FROM patients ORDER BY ward, id');
  await client.end();
  return rows;
}

t.test('touches no table with children: a row of theirs may have the key of another row', async (t) => {
  const rig = await reencrypting(t, CONFIG, `CREATE TABLE patients ${COLUMNS}`);
  await fill(rig, 4);
  await rig.owner.query('CREATE TABLE young () INHERITS (patients); GRANT ALL ON young TO app');
  // With the same key, and of the same transaction, so that key and xmin are those of another row.
  const copies = "INSERT INTO young SELECT 5 - id, note, 'young' FROM ONLY patients";
  await rig.owner.query(`BEGIN; UPDATE patients SET ward = 'B'; ${copies}; COMMIT`);
  const before = await rowsOf(rig);
  await rig.rotate();
  await t.rejects(rig.reencrypt(), { code: 'CLI_OPTION', message: /"patients" has children/ });
  t.same(await rowsOf(rig), before);
  await rig.owner.query('ALTER TABLE young NO INHERIT patients');
  t.match(await rig.reencrypt(), { outcome: 'proved', rows: 4 });
});

t.test('takes a partitioned table, whose keys are unique', async (t) => {
  const table = `CREATE TABLE patients ${COLUMNS} PARTITION BY HASH (id)`;
  const partitions = [0, 1].map(
    (rest) => `CREATE TABLE part_${rest} PARTITION OF patients FOR VALUES WITH (MODULUS 2, REMAINDER ${rest})`,
  );
  const rig = await reencrypting(t, CONFIG, [table, ...partitions].join('; '));
  await fill(rig, 12);
  const before = await rowsOf(rig);
  await rig.rotate();
  t.match(await rig.reencrypt({ maxRows: 5 }), { outcome: 'proved', rows: 12 });
  t.same(await rowsOf(rig), before);
});

t.test(
  'keeps to the columns of the client, and says that it cannot tell of AcraStructs',
  { skip: !isReal && 'the stand-in has no AcraStructs' },
  async (t) => {
    const config = `schemas:
  - table: patients
    columns: [id, note, letter]
    encrypted:
      - {column: note, data_type: str}
      - {column: letter, data_type: str, crypto_envelope: acrastruct}
`;
    const rig = await reencrypting(t, config, 'CREATE TABLE patients (id int PRIMARY KEY, note bytea, letter bytea)');
    const client = await rig.client();
    await client.query('INSERT INTO patients VALUES (1, $1, $2)', ['note', 'letter']);
    await client.end();
    await rig.rotate();
    const report = await rig.reencrypt();
    t.match(report, { outcome: 'proved', columns: ['note', 'letter'], untold: ['letter'], written: 1 });
    t.match(report.states, { current: 1, untold: 1, old: 0 });

    await t.test(
      'but finds AcraBlocks between them, as of a configuration before, and encrypts them anew',
      async (t) => {
        await rig.owner.query('INSERT INTO patients SELECT 2, NULL, note FROM patients');
        await rig.rotate();
        t.match(await rig.reencrypt({ mode: 'check' }), { outcome: 'left', states: { old: 2, untold: 1 } });
        t.match(await rig.reencrypt(), { outcome: 'proved', written: 2, states: { old: 0, untold: 2 } });
        const reader = await rig.client();
        const { rows } = await reader.query('SELECT letter FROM patients ORDER BY id');
        await reader.end();
        t.same(rows, [{ letter: 'letter' }, { letter: 'note' }]);
      },
    );
  },
);
