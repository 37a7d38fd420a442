/** Texts that an older PostgreSQL reads otherwise than the grammar of 18, and those that only look so. */
import t from 'tap';
import { loadParser, parseText } from '../../../acra/statements/parser.ts';
import { readSince } from '../../../acra/statements/read-since.ts';

const parser = await loadParser();
const since = (sql: string) => readSince(parseText(parser, sql));

t.test('says 16 of numbers in its new forms, and of its new word', async (t) => {
  for (const expression of [
    '1_000',
    '0x1F',
    '0XfF',
    '0o17',
    '0b11',
    '0x_1F',
    '1_0.5',
    '.5_0',
    '1.0_1',
    '1e1_0',
    '-1_0',
    '(1_0)',
    'system_user',
  ])
    t.equal(since(`SELECT ${expression} FROM patients`), 16, expression);
  t.equal(since('PREPARE p AS SELECT 1; SELECT name, 1_000 FROM patients'), 16);
});

t.test('says any of what all read alike', async (t) => {
  const texts = [
    "'1_000'",
    "'0x1F'",
    '"system_user"',
    '"0x1F"',
    'a1_000',
    't0_1.c0_1',
    '$1',
    '10',
    '1.5e10',
    '/* 0x1F */ 1',
    '$$ 1_000 $$',
    "'\\x0b0f'",
    'é1_0',
  ];
  for (const text of texts) t.equal(since(`SELECT ${text} FROM patients -- 1_000`), 0, text);
});
