/** Keys are rotated, and what is under the old ones is encrypted anew, as an operator does it: the steps of docs/reencrypt.md, in their order. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import t from 'tap';
import { readProof } from '../../keys/reencryption-proof.ts';
import { LARGEST_VALUE_BYTES, MAX_RSS_KIB } from './support/existing-data.ts';
import { type RotatedData, rotatedData, type Stage } from './support/rotated-data.ts';

t.setTimeout(600_000);

const ROWS = 400;
/** Writes of the tool before which it is killed; each of them with REENCRYPT_STEP=1. */
const STEP = Number(process.env['REENCRYPT_STEP'] ?? 60);
const nameOf = (id: number): string | null =>
  id % 50 === 0 ? null : id % 49 === 0 ? '' : `name of ${id}${id === 7 ? 'ñ'.repeat(200_000) : ''}`;

async function fill(data: RotatedData): Promise<void> {
  const application = await data.application();
  const ids = Array.from({ length: ROWS }, (_, at) => at + 1);
  await application.query(
    "INSERT INTO people (id, name, town) SELECT v.id, v.name, 'town' FROM unnest($1::int[], $2::text[]) AS v(id, name)",
    [ids, ids.map(nameOf)],
  );
  await application.end();
}

async function read(data: RotatedData): Promise<readonly unknown[][]> {
  const application = await data.application();
  const { rows } = await application.query({ text: 'SELECT id, name, town FROM people ORDER BY id', rowMode: 'array' });
  await application.end();
  return rows;
}

const ALL = Array.from({ length: ROWS }, (_, at) => [at + 1, nameOf(at + 1), 'town']);
/** NULL and empty ones are under no key. */
const VALUES = ALL.filter(([, name]) => typeof name === 'string' && name !== '').length;
const endAtWrite = pathToFileURL(join(import.meta.dirname, 'support/end-at-write.ts')).href;

t.test('from new keys to a keystore without the old ones, step by step', async (t) => {
  const data = await rotatedData(t);
  const direct = await data.direct();
  const count = async (keyId: string) => (await direct.query(data.under(keyId))).rows[0].count;
  const tool = async (stage: Stage, words: readonly string[], environment = {}) => {
    const ids = ['--key-ids', join(data.stack.options.root, 'key-ids.json')];
    return data.data(stage, [...words, ...(words[0] === 'reencrypt' ? ids : [])], environment).outcome;
  };
  const cert = data.stack.parts.clientFiles.certificate;
  await data.serve(data.first);
  await fill(data);

  const largest = await data.application();
  await largest.query("INSERT INTO people VALUES (0, $1, 'town')", ['x'.repeat(LARGEST_VALUE_BYTES)]);
  await largest.end();
  await direct.query('CREATE TABLE largest AS SELECT * FROM people WHERE id = 0');
  await direct.query('DELETE FROM people WHERE id = 0');

  const rotated = data.copy('rotated', data.first);
  const printed = await data.keys(rotated, ['rotate', 'data', '--client', cert, '--json']);
  writeFileSync(join(data.stack.options.root, 'key-ids.json'), printed);
  const [{ current, old }] = JSON.parse(printed).clients;
  t.same(await count(old[0]), VALUES);
  t.equal((await data.keys(rotated, ['ids', '--json'])).trim(), printed.trim(), 'keys ids prints the same');

  await data.serve(data.first);
  const early = await tool(rotated, ['reencrypt']);
  t.match(early.stderr, /CLI_DATA_OTHER_KEY/, 'the enclave with the old keystore is found out');
  t.same(await read(data), ALL);
  t.same(await count(current), 0);

  await data.serve(rotated);
  t.same(await read(data), ALL, 'old rows are read with the new image');
  const application = await data.application();
  await application.query('UPDATE people SET name = $1 WHERE id = 3', [nameOf(3)]);
  t.same((await application.query("SELECT id FROM people WHERE name = 'name of 4'")).rows, [{ id: 4 }]);
  await application.end();
  t.same(await count(current), 1, 'new writes are under the new key');
  await direct.query('CREATE TABLE saved AS SELECT id, name FROM people');

  t.match(await tool(rotated, ['reencrypt', '--dry-run']), { code: 0, stdout: `${VALUES - 1} under an old one` });
  t.match(await tool(rotated, ['reencrypt', '--check']), { code: 1, stdout: 'not proved' });
  const full = await tool(rotated, ['reencrypt', '--json', '--batch-rows', '50'], {
    NODE_OPTIONS: `--import=${endAtWrite}`,
  });
  t.equal(full.code, 0, full.stderr);
  t.match(JSON.parse(full.stdout), { outcome: 'proved', written: VALUES - 1, states: { current: VALUES, old: 0 } });
  t.same(await read(data), ALL);
  const writes = Number(/writes: (\d+)/.exec(full.stderr)?.[1]);
  t.ok(writes > 50, `${writes} writes`);

  for (let at = 1; at < writes; at += STEP) {
    await direct.query('UPDATE people SET name = saved.name FROM saved WHERE saved.id = people.id');
    const environment = { NODE_OPTIONS: `--import=${endAtWrite}`, END_AT_WRITE: `${at}` };
    const killed = await tool(rotated, ['reencrypt', '--batch-rows', '50'], environment);
    t.equal(killed.code, undefined, `killed at write ${at}`);
    t.same(await read(data), ALL);
    t.equal((await tool(rotated, ['reencrypt', '--batch-rows', '50'])).code, 0);
    t.same(await count(old[0]), 0);
    t.same(await read(data), ALL);
  }

  await direct.query('INSERT INTO people SELECT * FROM largest');
  const held = await tool(rotated, ['reencrypt', '--json']);
  t.match(JSON.parse(held.stdout), { outcome: 'proved', written: 1, rows: ROWS + 1 });
  const { maxRssKib } = JSON.parse(held.stdout);
  t.ok(maxRssKib < MAX_RSS_KIB, `${maxRssKib} KiB with the largest value`);
  const [{ length }] = (await direct.query('SELECT octet_length(name) AS length FROM people WHERE id = 0')).rows;
  t.ok(length > LARGEST_VALUE_BYTES);
  await direct.query('DELETE FROM people WHERE id = 0');

  const checked = await tool(rotated, ['reencrypt', '--check', '--json']);
  t.equal(checked.code, 0);
  const proof = join(data.stack.options.root, 'proof.json');
  writeFileSync(proof, checked.stdout);
  t.match(readProof(proof), { table: 'people', columns: ['name'] });
  t.match(await tool(rotated, ['verify', '--table', 'people']), { code: 0, stdout: 'proved people' });

  const forgotten = data.copy('forgotten', rotated);
  t.match(await data.keys(forgotten, ['forget-old', '--client', cert, '--proof', proof]), /^gone (.*\n){3}$/);
  await data.serve(forgotten);
  t.same(await read(data), ALL, 'nothing needs the old keys');
  t.match(await tool(forgotten, ['verify', '--table', 'people']), { code: 0, stdout: 'proved people' });

  await direct.query('UPDATE people SET name = saved.name FROM saved WHERE saved.id = people.id AND people.id = 5');
  t.match(
    await tool(forgotten, ['verify', '--table', 'people']),
    { code: 1, stdout: 'foreign' },
    'what is put back from a backup is lost',
  );
  await direct.end();
});
