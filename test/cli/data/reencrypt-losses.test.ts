/** `data reencrypt` loses its sessions, is asked to stop, and has others at its rows, wherever it may be: nothing of theirs is lost. */
import t, { type Test } from 'tap';
import type { Connection } from '../../../cli/data/connection.ts';
import { StopRequested } from '../../../runtime/abort.ts';
import { losing } from './support/losing.ts';
import { type Reencrypting, reencrypting } from './support/reencrypting.ts';

t.setTimeout(300_000);

const ROWS = 24;
/** Too long for a batch. */
const LONG_BYTES = 300_000;
/** Every statement with REENCRYPT_STEP=1. */
const STEP = Number(process.env['REENCRYPT_STEP'] ?? 7);

const CONFIG = `schemas:
  - table: patients
    columns: [id, name, note, ward]
    encrypted:
      - {column: name, data_type: str, searchable: true}
      - {column: note, data_type: str}
`;
const nameOf = (id: number) => `name ${id}`;
const noteOf = (id: number) => `note ${id}${id === ROWS ? 'x'.repeat(LONG_BYTES) : ''}`;

async function filled(t: Test): Promise<Reencrypting> {
  const rig = await reencrypting(
    t,
    CONFIG,
    'CREATE TABLE patients (id int PRIMARY KEY, name bytea, note bytea, ward text)',
  );
  const client = await rig.client();
  for (let id = 1; id <= ROWS; id += 1)
    await client.query('INSERT INTO patients VALUES ($1, $2, $3, $4)', [id, nameOf(id), noteOf(id), 'A']);
  await client.end();
  await rig.rotate();
  return rig;
}

async function rowsOf(rig: Reencrypting): Promise<readonly (readonly unknown[])[]> {
  const client = await rig.client();
  const { rows } = await client.query({ text: 'SELECT id, name, note FROM patients ORDER BY id', rowMode: 'array' });
  await client.end();
  return rows;
}

const ALL = Array.from({ length: ROWS }, (_, at) => [at + 1, nameOf(at + 1), noteOf(at + 1)]);

t.test('goes on where it loses its session at any statement, done or not', async (t) => {
  const rig = await filled(t);
  let statements = Number.POSITIVE_INFINITY;
  for (let at = 1; at < statements; at += STEP) {
    let count = 0;
    const around = (connection: Connection) =>
      losing(connection, rig.owner, () => {
        count += 1;
        return count === at ? (at % 2 === 0 ? 'before' : 'behind') : undefined;
      });
    const report = await rig.reencrypt({ around, maxRows: 5 });
    t.match(report, { outcome: 'proved', states: { old: 0, current: 2 * ROWS } }, `lost at statement ${at}`);
    statements = Math.min(statements, count);
    await rig.rotate();
  }
  t.ok(statements > 30, `${statements} statements`);
  t.same(await rowsOf(rig), ALL);
});

t.test('ends behind a page when it is asked to, and goes on from there', async (t) => {
  const rig = await filled(t);
  const controller = new AbortController();
  const around = (connection: Connection) =>
    losing(connection, rig.owner, (sql) => {
      if (sql.startsWith('COMMIT')) controller.abort(new StopRequested('received SIGINT'));
      return undefined;
    });
  t.match(await rig.reencrypt({ around, signal: controller.signal, maxRows: 10 }), { outcome: 'stopped' });
  const { states } = await rig.reencrypt({ mode: 'check' });
  t.ok(states.current > 0 && states.old > 0, 'a part is done');
  t.match(await rig.reencrypt(), { outcome: 'proved', written: states.old });
  t.same(await rowsOf(rig), ALL);
});

/** Does something in a session of the application's as soon as the tool is about to write, each time. */
function before(connection: Connection, what: RegExp, act: () => Promise<void>): Connection {
  const acting = (sql: string) => (what.test(sql) ? act() : Promise.resolve());
  return {
    end: () => connection.end(),
    each: (sql, values, onRow) => acting(sql).then(() => connection.each(sql, values, onRow)),
    cell: (sql, values, sink) => acting(sql).then(() => connection.cell(sql, values, sink)),
  };
}

t.test('keeps what others write between its reading and its writing, into the value or beside it', async (t) => {
  const rig = await filled(t);
  const client = await rig.client();
  let count = 0;
  const around = (connection: Connection) =>
    before(connection, /^UPDATE/, async () => {
      count += 1;
      if (count > 40) return;
      const id = 1 + (count % ROWS);
      await client.query("UPDATE patients SET note = $2, ward = 'B' WHERE id = $1", [id, `changed ${count}`]);
      await client.query("UPDATE patients SET ward = 'C' WHERE id = $1", [ROWS]);
      if (count === 3) await client.query('DELETE FROM patients WHERE id = 20');
    });
  const report = await rig.reencrypt({ around, maxRows: 6 });
  t.match(report, { outcome: 'proved', rows: ROWS - 1 });
  const { rows } = await client.query('SELECT id, note, ward FROM patients ORDER BY id');
  t.equal(rows.length, ROWS - 1, 'what was deleted stays away');
  const changed = rows.filter(({ note }) => note.startsWith('changed'));
  t.ok(changed.length > 0 && changed.every(({ id, ward }) => ward === 'B' || id === ROWS));
  for (const { id, note } of rows.filter((row) => !row.note.startsWith('changed'))) t.equal(note, noteOf(id));
  t.equal(rows.at(-1).ward, 'C');
  await client.end();
});

t.test('does not keep a value that reads otherwise when it is written: a trigger, say', async (t) => {
  const rig = await filled(t);
  await rig.owner.query(`
    CREATE FUNCTION other() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      IF NEW.id IN (7, ${ROWS}) THEN NEW.note = OLD.name; END IF; RETURN NEW; END $$;
    CREATE TRIGGER other BEFORE UPDATE OF note ON patients FOR EACH ROW EXECUTE FUNCTION other()`);
  const report = await rig.reencrypt();
  t.match(report, { outcome: 'left' });
  t.same(report.offenders.map(({ key, fault }) => [key[0], fault]).toSorted(), [
    ['24', 'differs'],
    ['7', 'differs'],
    ['7', 'differs'],
  ]);
  await rig.owner.query('DROP TRIGGER other ON patients');
  t.match(await rig.reencrypt(), { outcome: 'proved' });
  t.same(await rowsOf(rig), ALL);
});

t.test('names what the database refuses, writes the others, and goes on when that is mended', async (t) => {
  const rig = await filled(t);
  await rig.owner.query('ALTER TABLE patients ADD CONSTRAINT not_this CHECK (id NOT IN (5, 11)) NOT VALID');
  const report = await rig.reencrypt();
  t.match(report, { outcome: 'left', faults: { refused: 4 } });
  t.same([...new Set(report.offenders.map(({ key }) => key[0]))], ['5', '11']);
  t.notMatch(JSON.stringify(report), /note 5|name 5/);
  await rig.owner.query('ALTER TABLE patients DROP CONSTRAINT not_this');
  t.match(await rig.reencrypt(), { outcome: 'proved', written: 4 });
  t.same(await rowsOf(rig), ALL);
});
