import t from 'tap';
import { judge } from '../../../acra/statements/judge.ts';
import { alignOutputs } from '../../../acra/statements/outputs.ts';
import { loadParser, parseText } from '../../../acra/statements/parser.ts';
import { ANY_RELATION } from '../../../acra/statements/policy.ts';
import { tables } from '../../emulator/acra-server/support/vector-cipher.ts';

const parser = await loadParser();

/** Names of the protected columns among the result's columns, `-` for others. */
function columnsOf(sql: string, count: number): string {
  const verdict = judge({ tables, reader: 'acra-server', policy: ANY_RELATION }, parseText(parser, sql));
  return alignOutputs(verdict.kind === 'passes' ? (verdict.plan.results[0] ?? []) : [], count)
    .map((result) => result?.column.name ?? '-')
    .join(' ');
}

const CASES: readonly (readonly [string, number, string])[] = [
  ['SELECT * FROM v', 4, '- email secret blob'],
  ['SELECT secret AS s, id, v.email, public.v.blob FROM v', 4, 'secret - email blob'],
  ['SELECT x.*, secret FROM v x', 5, '- email secret blob secret'],
  ['SELECT a.secret, b.* FROM v a, v b', 5, 'secret - email secret blob'],
  ['SELECT o.*, v.secret FROM o, v', 6, '- - - - - secret'],
  ['SELECT v.secret, o.*, email FROM o, v', 4, 'secret - - email'],
  ['SELECT o.*, secret, p.* FROM o, p, v', 4, '- - - -'],
  ['SELECT * FROM o JOIN v ON true', 6, '- - - email secret blob'],
  ['SELECT * FROM o JOIN v ON true JOIN v w ON true', 9, '- - email secret blob - email secret blob'],
  ['SELECT secret FROM v UNION ALL SELECT secret FROM v', 1, 'secret'],
  ['SELECT lower(secret), secret || email, 1 FROM v', 3, '- - -'],
  ['SELECT email FROM contacts', 1, '-'],
  ['SELECT contacts.email, v.email FROM contacts, v', 2, '- email'],
  ['SELECT * FROM v', 5, '- - - - -'],
  ['INSERT INTO v (id) VALUES (1) RETURNING *, secret', 5, '- email secret blob secret'],
  ['UPDATE v SET id = 1 RETURNING v.email AS e, id', 2, 'email -'],
  ['DELETE FROM v USING o RETURNING o.*, v.blob', 3, '- - blob'],
  ['SELECT secret FROM v; SELECT secret FROM v', 1, '-'],
  ['SHOW server_version', 1, '-'],
];

for (const [sql, count, expected] of CASES) {
  t.test(`knows the columns of: ${sql} (${count})`, async (t) => t.equal(columnsOf(sql, count), expected));
}
