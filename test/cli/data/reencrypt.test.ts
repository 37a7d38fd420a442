/** What is under an old key is under the current one afterwards, and reads as before; what cannot be is named, and nothing of it is lost. */
import t, { type Test } from 'tap';
import { encodeAcraBlock, encodeContainer } from '../../../acra/container.ts';
import { themis } from '../../../acra/keystore/themis.ts';
import { systemRandom } from '../../../runtime/random.ts';
import { isReal } from '../../sessions/guard/support/guarded-postgres.ts';
import { type Reencrypting, reencrypting } from './support/reencrypting.ts';

t.setTimeout(240_000);

const CONFIG = `schemas:
  - table: patients
    columns: [id, name, note, photo, ward]
    encrypted:
      - {column: name, data_type: str, searchable: true}
      - {column: note, data_type: str}
      - {column: photo, data_type: bytes}
`;
const TABLE = `CREATE TABLE patients (id int PRIMARY KEY, name bytea, note bytea, photo bytea, ward text);
  CREATE UNIQUE INDEX ON patients (substr(name, 1, 33))`;
const INSERT = 'INSERT INTO patients (id, name, note, photo, ward) VALUES ($1, $2, $3, $4, $5)';
const ALL = 'SELECT * FROM patients ORDER BY id';

/** NULL, empty, odd texts, and some that are long. */
function rowOf(id: number): unknown[] {
  const notes = [null, '', 'a', `it's "odd" {a,b} \\x41 ñ 🙂`, 'x'.repeat(10_000), 'ñ'.repeat(20_000)];
  const photos = [null, Buffer.alloc(0), Buffer.of(0), Buffer.alloc(5_000, id), Buffer.from('%%%')];
  return [id, `name ${id}`, notes[id % notes.length], photos[id % photos.length], 'A'];
}

async function filled(t: Test, rows: number): Promise<Reencrypting> {
  const rig = await reencrypting(t, CONFIG, TABLE);
  await fill(rig, rows);
  return rig;
}

async function fill(rig: Reencrypting, rows: number): Promise<void> {
  const client = await rig.client();
  for (let id = 1; id <= rows; id += 1) await client.query(INSERT, rowOf(id));
  await client.end();
}

async function rowsOf(rig: Reencrypting): Promise<readonly object[]> {
  const client = await rig.client();
  const { rows } = await client.query(ALL);
  await client.end();
  return rows;
}

/** Ids in the stored cells of a column, without NULL and empty ones. */
async function idsStored({ owner }: Reencrypting, column: string, at = 25): Promise<ReadonlySet<string>> {
  const { rows } = await owner.query(
    `SELECT DISTINCT substr(${column}, ${at + 1}, 2) AS id FROM patients WHERE octet_length(${column}) > 0`,
  );
  return new Set(rows.map(({ id }) => id.toString('hex')));
}

t.test(
  'puts every value under the current key; all reads, and is found, as before, without the old keys too',
  async (t) => {
    const rig = await filled(t, 60);
    const before = await rowsOf(rig);
    await rig.rotate();
    t.same(await rowsOf(rig), before, 'old rows are read with the new keystore');
    const counted = await rig.reencrypt({ mode: 'try' });
    t.match(counted, { outcome: 'tried', rows: 60, written: 0, offenders: { length: 20 } });
    const report = await rig.reencrypt({ maxRows: 7 });
    t.match(report, { outcome: 'proved', rows: 60, offenders: [], states: { old: 0, other: 0, form: 0 } });
    t.equal(report.written, counted.states.old);
    t.equal(report.states.current, report.written);
    const { current } = await rig.ids();
    t.same(await idsStored(rig, 'name', 58), new Set([current]));
    for (const column of ['note', 'photo']) t.same(await idsStored(rig, column), new Set([current]), column);
    await rig.forgetOld();
    t.same(await rowsOf(rig), before);
    const client = await rig.client();
    t.same((await client.query("SELECT id FROM patients WHERE name = 'name 7'")).rows, [{ id: 7 }]);
    await t.rejects(
      client.query(INSERT, [100, 'name 7', null, null, 'B']),
      { code: '23505' },
      'search hashes stay unique',
    );
    await client.end();
  },
);

t.test('does nothing twice: a second run writes nothing, and a check says the same', async (t) => {
  const rig = await filled(t, 12);
  await rig.rotate();
  t.match(await rig.reencrypt({ mode: 'check' }), { outcome: 'left', written: 0, faults: { old: Number } });
  t.ok((await rig.reencrypt()).written > 0);
  const stored = async () => (await rig.owner.query(`SELECT *, xmin::text FROM patients ORDER BY id`)).rows;
  const before = await stored();
  const [again, checked] = [await rig.reencrypt(), await rig.reencrypt({ mode: 'check' })];
  t.match(again, { outcome: 'proved', written: 0 });
  t.match(checked, { outcome: 'proved', written: 0, rows: 12 });
  t.same(await stored(), before);
});

t.test('goes over values of several rotations at once', async (t) => {
  const rig = await filled(t, 5);
  for (let id = 6; id <= 8; id += 1) {
    await rig.rotate();
    const client = await rig.client();
    await client.query(INSERT, rowOf(id));
    await client.end();
  }
  t.equal((await idsStored(rig, 'name', 58)).size, 4);
  t.match(await rig.reencrypt(), { outcome: 'proved', rows: 8 });
  t.equal((await idsStored(rig, 'name', 58)).size, 1);
});

t.test('takes long values by themselves, up to the longest that the enclave takes', async (t) => {
  const rig = await filled(t, 3);
  const long = 'ñ'.repeat(4 * 1024 * 1024);
  const client = await rig.client();
  await client.query(INSERT, [10, 'long', long, Buffer.alloc(300_000, 7), 'A']);
  await client.query(INSERT, [11, 'after', 'short', Buffer.alloc(9_000, 1), 'A']);
  await client.end();
  await rig.rotate();
  t.match(await rig.reencrypt(), { outcome: 'proved', rows: 5, offenders: [] });
  const { current } = await rig.ids();
  t.same(await idsStored(rig, 'note'), new Set([current]));
  const again = await rig.client();
  const { rows } = await again.query('SELECT note, photo FROM patients WHERE id = 10');
  t.ok(rows[0].note === long && rows[0].photo.equals(Buffer.alloc(300_000, 7)));
  await again.end();
});

t.test('writes nothing further behind an enclave that has another keystore (CLI_DATA_OTHER_KEY)', async (t) => {
  const rig = await filled(t, 30);
  const before = await rowsOf(rig);
  await rig.rotateBehindIt();
  const stored = async () =>
    (await rig.owner.query(`SELECT note FROM patients ORDER BY id`)).rows.map(({ note }) => `${note}`);
  const at = await stored();
  await t.rejects(rig.reencrypt(), { code: 'CLI_DATA_OTHER_KEY' });
  t.ok((await stored()).filter((note, index) => note !== at[index]).length <= 1, 'one value at most was written');
  t.same(await rowsOf(rig), before);
});

const DAMAGE = (column: string) =>
  `UPDATE patients SET ${column} = set_byte(${column}, octet_length(${column}) - 1, get_byte(${column}, octet_length(${column}) - 1) # 1) WHERE id = 3`;

t.test('names what does not open, and what is no container, leaves it as it is, and goes on', async (t) => {
  const rig = await filled(t, 9);
  await rig.rotate();
  await rig.owner.query(DAMAGE('note'));
  await rig.owner.query("UPDATE patients SET note = 'plain' WHERE id = 5");
  const untouched = 'SELECT note FROM patients WHERE id IN (3, 5) ORDER BY id';
  const { rows: before } = await rig.owner.query(untouched);
  const report = await rig.reencrypt();
  t.match(report, { outcome: 'left', faults: { foreign: 1, form: 1 }, states: { old: 1, form: 1 } });
  t.same(report.offenders.map(({ column, key, fault }) => [column, key[0], fault]).toSorted(), [
    ['note', '3', 'foreign'],
    ['note', '5', 'form'],
  ]);
  t.same((await rig.owner.query(untouched)).rows, before);
});

t.test('counts what is under keys of others, and leaves it alone', async (t) => {
  const rig = await filled(t, 4);
  await rig.rotate();
  const block = encodeAcraBlock(themis, Buffer.alloc(32, 9), Buffer.from('of others'), systemRandom);
  const stored = encodeContainer('acrablock', block);
  await rig.owner.query('UPDATE patients SET note = $1 WHERE id = 2', [stored]);
  t.match(await rig.reencrypt(), { outcome: 'proved', states: { other: 1, old: 0 } });
  t.same((await rig.owner.query('SELECT note FROM patients WHERE id = 2')).rows, [{ note: stored }]);
});

const FAILING = `schemas:
  - table: patients
    columns: [id, note, code, ward]
    encrypted:
      - {column: note, data_type: str, response_on_fail: default_value, default_data_value: none}
      - {column: code, data_type: str, response_on_fail: error}
`;

t.test('never writes back what stands for a value that does not open', async (t) => {
  const rig = await reencrypting(
    t,
    FAILING,
    'CREATE TABLE patients (id int PRIMARY KEY, note bytea, code bytea, ward text)',
  );
  const client = await rig.client();
  for (let id = 1; id <= 6; id += 1)
    await client.query('INSERT INTO patients (id, note, code) VALUES ($1, $2, $3)', [
      id,
      id === 2 ? 'none' : 'note',
      'code',
    ]);
  await client.end();
  await rig.rotate();
  await rig.owner.query(DAMAGE('note'));
  await rig.owner.query(DAMAGE('code').replace('id = 3', 'id = 5'));
  const stored = async () => (await rig.owner.query('SELECT id, note, code FROM patients ORDER BY id')).rows;
  const before = await stored();
  const report = await rig.reencrypt();
  const named = report.offenders.map(({ column, key, fault }) => `${column} ${key[0]} ${fault}`);
  t.same(named.toSorted(), ['code 5 unreadable', 'note 2 default', 'note 3 default'].toSorted());
  const after = await stored();
  t.same([after[1].note, after[2].note, after[4].code], [before[1].note, before[2].note, before[4].code]);
  t.match(report, { outcome: 'left', written: 12 - 3 });
});

const OTHERS = `schemas:
  - table: patients
    columns: [id, left_open, right_open, small, large]
    encrypted:
      - {column: left_open, data_type: str, masking: xxxx, plaintext_length: 3, plaintext_side: left}
      - {column: right_open, data_type: bytes, masking: xxxx, plaintext_length: 2, plaintext_side: right}
      - {column: small, data_type: int32}
      - {column: large, data_type: int64}
`;

t.test(
  'takes masked columns and integers, but for what reads like a mask',
  { skip: !isReal && 'the stand-in has neither' },
  async (t) => {
    const columns = 'id int PRIMARY KEY, left_open bytea, right_open bytea, small bytea, large bytea';
    const rig = await reencrypting(t, OTHERS, `CREATE TABLE patients (${columns})`);
    const client = await rig.client();
    const all = [
      [1, 'abcdef', Buffer.from('abcdef'), -1, '9007199254740993'],
      [2, 'ab', Buffer.from('a'), 2_147_483_647, '-9223372036854775808'],
      [3, 'ab\u00f1def', Buffer.alloc(300, 7), 0, '0'],
      [4, 'abcxxxx', Buffer.from('xyz'), null, null],
    ];
    for (const row of all) await client.query('INSERT INTO patients VALUES ($1, $2, $3, $4, $5)', row);
    const read = async () =>
      (await client.query({ text: 'SELECT * FROM patients ORDER BY id', rowMode: 'array' })).rows;
    t.same(await read(), all);
    await rig.rotate();
    const report = await rig.reencrypt();
    t.same(
      report.offenders.map(({ column, key, fault }) => [column, key[0], fault]),
      [['left_open', '4', 'default']],
    );
    t.match(report, { outcome: 'left', states: { old: 1, form: 0, other: 0 } });
    await client.query("UPDATE patients SET left_open = 'abcxxxx' WHERE id = 4");
    t.match(await rig.reencrypt({ mode: 'check' }), { outcome: 'proved' });
    await rig.forgetOld();
    t.same(await read(), all);
    await client.end();
  },
);
