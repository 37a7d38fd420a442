import t from 'tap';
import { judge } from '../../../acra/statements/judge.ts';
import { loadParser, parseText } from '../../../acra/statements/parser.ts';
import { ANY_RELATION } from '../../../acra/statements/policy.ts';
import { rewrite } from '../../../acra/statements/rewrite.ts';
import { protectLiteral } from '../../../emulator/acra-server/values.ts';
import { sqlStateOf } from '../../emulator/acra-server/support/sql-state.ts';
import { column, tables, vectorCipher } from '../../emulator/acra-server/support/vector-cipher.ts';

const parser = await loadParser();
const cipher = await vectorCipher(t);

function rewritten(sql: string, by = cipher): Buffer {
  const verdict = judge({ tables, reader: 'acra-server', policy: ANY_RELATION }, parseText(parser, sql));
  if (verdict.kind === 'refused') throw new Error(verdict.reason);
  const literals = verdict.plan.edits.filter((edit) => edit.kind === 'literal');
  return rewrite(
    Buffer.from(sql),
    verdict.plan,
    new Map(literals.map((literal) => [literal, protectLiteral(by, literal)])),
  );
}

/** The values that the hex literals in the statement stand for. */
const valuesIn = (sql: Buffer) =>
  [...sql.toString().matchAll(/'\\x([0-9a-f]*)'/g)].map(([, hex = '']) => Buffer.from(hex, 'hex'));

t.test('replaces literals by containers, hashes and hex, and keeps every other byte', async (t) => {
  const sql = rewritten(`/* é */ INSERT INTO v VALUES (1, 'zoë', E'\\\\x41', '\\x4142') -- ü`);
  t.match(sql.toString(), /^\/\* é \*\/ INSERT INTO v VALUES \(1, '\\x7f[^']+', '\\x252525[^']+', '[^']+'\) -- ü$/);
  t.same(
    valuesIn(sql).map((value) => cipher.reveal(value[0] === 0x7f ? value.subarray(33) : value).bytes.toString()),
    ['zoë', 'A', 'AB'],
  );
  const search = rewritten(`SELECT * FROM v WHERE email = 'zoë'`);
  t.same(valuesIn(search), [cipher.searchHash(column('email'), Buffer.from('zoë'))]);
  t.same(valuesIn(rewritten(`INSERT INTO v (secret) VALUES ('')`)), [Buffer.alloc(0)], 'empty stays empty');
});

t.test('gives back a statement without edits as it was', async (t) => {
  for (const sql of ['', 'SELECT * FROM v', '-- é']) t.equal(rewritten(sql).toString(), sql);
});

t.test('rejects a write without a key of the client (58000)', async (t) => {
  const stranger = await vectorCipher(t, { clientId: 'somebody else' });
  t.equal(
    sqlStateOf(() => rewritten(`INSERT INTO v (secret) VALUES ('p')`, stranger)),
    '58000',
  );
  t.equal(rewritten('SELECT * FROM v', stranger).toString(), 'SELECT * FROM v');
});

t.test('encrypts 1,000 rows and a literal of 2 MB', async (t) => {
  const rows = Array.from({ length: 1000 }, (_, index) => `(${index}, 'name ${index}')`);
  t.equal(valuesIn(rewritten(`INSERT INTO v (id, secret) VALUES ${rows.join(',')}`)).length, 1000);
  t.ok(rewritten(`INSERT INTO v (secret) VALUES ('${'é'.repeat(1e6)}')`).length > 4e6);
});
