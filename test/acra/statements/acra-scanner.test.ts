import t from 'tap';
import { scanAcraString } from '../../../acra/statements/acra-scanner.ts';

/** Read so by acra-server 0.96.0 (test/vectors/acra/acra-0.96.0-values.json holds what it stored). */
const READ: readonly (readonly [string, string])[] = [
  [`''`, ''],
  [`'plain ünï 🙂'`, 'plain ünï 🙂'],
  [`'it''s'`, `it's`],
  [`'a\\b'`, 'a\b'],
  [`'a\\\\b'`, 'a\\b'],
  [`'a\\101'`, 'a101'],
  [`'\\x4142'`, '\\x4142'],
  [`'\\X4142'`, '\\X4142'],
  [`'before \\x41 \\x42'`, 'before \\x41 x42'],
  [`'a\\\\b\\x41'`, 'a\\bx41'],
  [`'quote \\" and \\Z'`, 'quote " and \x1a'],
  [`E'\\\\x4142'`, '\\x4142'],
  [`e'tab\\t\\'q\\''`, `tab\t'q'`],
];
for (const [token, text] of READ) {
  t.test(`reads ${token} as acra-server does`, async (t) => t.equal(scanAcraString(token), text));
}

t.test('tells where acra-server reads on behind the end of the string', async (t) => {
  for (const token of [`'\\'`, `'ends with \\'`, `'a''\\'`, `'\\\\\\'`])
    t.equal(scanAcraString(token), undefined, token);
  t.equal(scanAcraString(`'\\\\'`), '\\');
});
