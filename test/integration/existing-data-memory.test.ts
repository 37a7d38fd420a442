/**
 * The tools hold their memory whatever the table has: the most that each process had resident (VmHWM). It takes a quarter of an hour, best
 * with the real acra-server (docs/encrypt-existing-data.md); existing-data.test.ts has values of the largest size, too.
 */
import t, { type Test } from 'tap';
import { type ExistingData, existingData, LARGEST_VALUE_BYTES, MAX_RSS_KIB } from './support/existing-data.ts';

const skip = process.env['EXISTING_MEMORY'] === 'all' ? false : 'EXISTING_MEMORY=all runs it';

/** Rows behind one another, so many of so many bytes. */
type Table = readonly (readonly [rows: number, bytes: number])[];

const growing = Array.from({ length: 24 }, (_, power) => [2, 2 ** power] as const);

const TABLES: Readonly<Record<string, Table>> = {
  'one row of the largest size': [[1, LARGEST_VALUE_BYTES]],
  '20 rows of 7.5 MB': [[20, 7_500_000]],
  '20,000 rows of 100 bytes': [[20_000, 100]],
  '200 rows of 1.5 MB': [[200, 1_500_000]],
  'rows from small to large': growing,
  'rows from large to small': growing.toReversed(),
};

async function fill(data: ExistingData, table: Table): Promise<number> {
  const owner = await data.direct();
  await owner.query('TRUNCATE people');
  let from = 1;
  for (const [rows, bytes] of table) {
    await owner.query(
      "INSERT INTO people SELECT g, g || repeat('x', greatest(0, $2::int - length(g::text))), 'town' FROM generate_series($1::int, $3::int) g",
      [from, bytes, from + rows - 1],
    );
    from += rows;
  }
  await owner.query('ANALYZE people');
  await owner.end();
  return from - 1;
}

async function run(t: Test, data: ExistingData, words: readonly string[]) {
  const { code, stdout, stderr } = await data.tool(words).outcome;
  t.equal(code, 0, `${words.join(' ')}: ${stderr.slice(-500)}${stdout.slice(0, 500)}`);
  const report = JSON.parse(stdout);
  t.comment(`${words[0]}: ${report.maxRssKib} KiB, ${report.rowsPerSecond ?? '-'} rows a second`);
  t.ok(report.maxRssKib < MAX_RSS_KIB, `${words[0]}: ${report.maxRssKib} KiB`);
  return report;
}

for (const [what, table] of Object.entries(TABLES)) {
  t.test(`holds 150 MB with ${what}`, { skip }, async (t) => {
    const data = await existingData(t, 1);
    const rows = await fill(data, table);
    t.equal((await data.tool(['prepare', '--apply']).outcome).code, 0);
    t.match(await run(t, data, ['encrypt', '--json']), { outcome: 'switched', filled: rows, refused: [] });
    t.match(await run(t, data, ['verify', '--before-drop', '--json']), { outcome: 'proved', rows, offenders: [] });
  });
}
