/** `acra-enclave data`, as an operator runs it, through the whole product: the steps of docs/encrypt-existing-data.md, in their order. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { connectThroughEnclave } from '../../cli/demo/clients.ts';
import { step } from '../support/stack.ts';
import { type ExistingData, existingData, LARGEST_VALUE_BYTES, MAX_RSS_KIB } from './support/existing-data.ts';

const ROWS = 2_000;
/** Of 1.5 MB each. */
const LONG_ROWS = 2;
/** It has the largest value, and is there for the two steps that hold their memory. */
const LARGEST_ID = 0;
const PLAINTEXT = 'SELECT count(*)::int AS count FROM people WHERE name::text LIKE $1';

/** What an operator takes away in the end: the entry, and the column beside. */
async function withoutMigration({ stack }: ExistingData) {
  const { folder, pair } = stack.copyEnclave('after');
  const edit = (file: string, change: (text: string) => string) => {
    const path = join(folder, file);
    writeFileSync(path, change(readFileSync(path, 'utf8')));
  };
  edit('enclave.yaml', (text) => text.replace(/^guard:\n(?: .*\n)+/m, ''));
  edit('encryptor.yaml', (text) =>
    text
      .replace('[id, name, town, name_protected]', '[id, town, name]')
      .replace(/^ +- \{column: name_protected.*\n/m, ''),
  );
  await stack.parts.cloud.putKeyPolicy(stack.parts.keyArn, stack.measure(folder));
  await stack.enclave.stop();
  await pair.startHostProxy();
  pair.startSupervisor();
  return connectThroughEnclave(stack, await pair.untilServing(step()));
}

t.test('takes a table of plaintext to a protected one, step by step', async (t) => {
  const data = await existingData(t, ROWS);
  const owner = await data.direct();
  await owner.query(`UPDATE people SET name = id || repeat('ñx', 500000) WHERE id <= ${LONG_ROWS}`);
  const step = async (words: readonly string[], code: number, said: RegExp) => {
    const { code: ended, stdout, stderr } = await data.tool(words).outcome;
    t.equal(ended, code, `${words.join(' ')}: ${stderr}`);
    t.match(stdout, said);
    return stdout;
  };
  await step(['encrypt'], 1, /error MIGRATION_CONSTRAINT.*nothing was changed\n$/s);
  await step(['prepare'], 0, /ADD COLUMN IF NOT EXISTS "name_protected" bytea;/);
  await step(['prepare', '--apply'], 0, /^prepared people\.name\n$/);
  await step(['prepare'], 0, /^prepared people\.name\n$/);
  await step(
    ['encrypt', '--dry-run'],
    0,
    /^2000 rows to encrypt, about \d+ s at \d+ rows a second; nothing was changed\n$/,
  );
  await owner.query("INSERT INTO people VALUES ($1, repeat('x', $2), 'town')", [LARGEST_ID, LARGEST_VALUE_BYTES]);
  const report = JSON.parse(await step(['encrypt', '--json'], 0, /"outcome": "switched"/));
  t.match(report, { toFill: ROWS + 1, filled: ROWS + 1, refused: [] });
  t.ok(report.maxRssKib < MAX_RSS_KIB, `${report.maxRssKib} KiB`);
  t.comment(`${report.rowsPerSecond} rows a second, ${report.maxRssKib} KiB`);
  const proof = JSON.parse(await step(['verify', '--before-drop', '--json'], 0, /"outcome": "proved"/));
  t.match(proof, { rows: ROWS + 1, values: ROWS + 1, offenders: [] });
  t.ok(proof.maxRssKib < MAX_RSS_KIB, `${proof.maxRssKib} KiB`);
  await owner.query('DELETE FROM people WHERE id = $1', [LARGEST_ID]);
  await step(['verify'], 1, /^left name_plain\n/);
  await step(['encrypt', '--old', 'drop'], 0, /people\.name_plain is dropped\. What was there remains in dead rows/);
  await step(['verify'], 0, /proved people: 2000 rows, 2000 values in name\n$/);
  t.same((await owner.query(PLAINTEXT, ['name of%'])).rows, [{ count: 0 }]);

  const client = await withoutMigration(data);
  t.same((await client.query("SELECT * FROM people WHERE name = 'name of 77'")).rows, [
    { id: 77, town: 'town', name: 'name of 77' },
  ]);
  const [long] = (await client.query('SELECT name FROM people WHERE id = 2')).rows;
  t.ok(long.name === `2${'ñx'.repeat(500_000)}`, 'a long value is whole');
  await client.end();
  await owner.end();
});
