/** ON CONFLICT over searchable columns, where the measured list names their unique indexes. */
import t from 'tap';
import { judge } from '../../../../acra/statements/judge.ts';
import { loadParser, parseText } from '../../../../acra/statements/parser.ts';
import { ANY_RELATION, type Policy } from '../../../../acra/statements/policy.ts';
import { tables } from '../../../emulator/acra-server/support/vector-cipher.ts';
import { shownText } from '../support/shown-text.ts';

const parser = await loadParser();

function ending(target: string, uniqueSearches: readonly string[]): string {
  const sql = `INSERT INTO v (id) VALUES (1) ${target} DO NOTHING`;
  const policy: Policy = { ...ANY_RELATION, list: { ...ANY_RELATION.list, uniqueSearches } };
  const verdict = judge({ tables, reader: 'engine', policy }, parseText(parser, sql));
  if (verdict.kind === 'refused') return `${verdict.sqlState} ${verdict.reason}`;
  return shownText(sql, verdict.plan).slice('INSERT INTO v (id) VALUES (1) '.length, -' DO NOTHING'.length);
}

const REWRITTEN = [
  ['ON CONFLICT (email)', 'ON CONFLICT (substr(email, 1, 33))', 'v.email'],
  ['ON CONFLICT (email)', 'ON CONFLICT (substr(email, 1, 33))', 'v.(email)'],
  ['ON CONFLICT(  "email" )', 'ON CONFLICT(  substr("email", 1, 33) )', 'v.email'],
  ['ON CONFLICT (id, email)', 'ON CONFLICT (id, substr(email, 1, 33))', 'v.(email,id)'],
  ['ON CONFLICT (lower((name)), id, email)', 'ON CONFLICT (lower((name)), id, substr(email, 1, 33))', 'v.(id, email)'],
  ['ON CONFLICT (email) WHERE id > 3', 'ON CONFLICT (substr(email, 1, 33)) WHERE id > 3', 'v.email'],
  [
    "ON CONFLICT (email) WHERE email <> 'p'",
    'ON CONFLICT (substr(email, 1, 33)) WHERE substr(email, 1, 33) <> <hash p>::bytea',
    'v.email',
  ],
] as const;
for (const [target, expected, entry] of REWRITTEN)
  t.test(`rewrites ${target} with ${entry}`, async (t) => t.equal(ending(target, ['w.id', entry]), expected));

for (const target of ['', 'ON CONFLICT (id)', 'ON CONFLICT ON CONSTRAINT email', 'ON CONFLICT (substr(email, 1, 33))'])
  t.test(`keeps ${target || 'no target'}`, async (t) =>
    t.equal(ending(target || 'ON CONFLICT', []), target || 'ON CONFLICT'),
  );

const REFUSED = [
  ['ON CONFLICT (email)'],
  ['ON CONFLICT (email)', 'v.(email,id)', 'w.email', 'email', 'v.e'],
  ['ON CONFLICT (id, email)', 'v.email', 'v.id', 'v.(email,secret)'],
  ['ON CONFLICT (secret)', 'v.secret'],
  ['ON CONFLICT (substr(email, 2, 33))', 'v.email'],
  ['ON CONFLICT (substring(email, 1, 33))', 'v.email'],
  ['ON CONFLICT (substr(secret, 1, 33))', 'v.secret'],
  ['ON CONFLICT (lower(email))', 'v.email'],
] as const;
for (const [target, ...entries] of REFUSED)
  t.test(`rejects ${target} with ${entries.join(' ')} (0A000)`, async (t) =>
    t.match(ending(target, entries), /^0A000 /),
  );

t.test('says which index and entry are missing', async (t) => {
  t.match(
    ending('ON CONFLICT (email)', []),
    /substr\(email, 1, 33\), and "v\.email" in the uniqueSearches of guard\.list/,
  );
});
