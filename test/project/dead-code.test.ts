/** `make lint` looks for dead code twice: with tests as users, and without (knip.json, knip.production.jsonc). */
import t from 'tap';
import { readSource } from './imports.ts';

interface KnipConfig {
  readonly entry: readonly string[];
}

const everywhere: KnipConfig = JSON.parse(readSource('knip.json'));
const production: KnipConfig = JSON.parse(readSource('knip.production.jsonc').replace(/^\s*\/\/.*$/gm, ''));
const isOfTests = (entry: string) => /^!?(test|bench|examples)\//.test(entry);

t.test('keeps the same programs as entries of both searches, and no test as an entry of the second', async (t) => {
  const programs = everywhere.entry.filter((entry) => !isOfTests(entry));
  t.ok(programs.includes('supervisor/main.ts'));
  t.same(production.entry.toSorted(), programs.map((entry) => `${entry}!`).toSorted());
});

t.test('keeps both searches in make lint', async (t) => {
  const lint = /^lint:.*\n((?:\t.*\n)+)/m.exec(readSource('Makefile'))?.[1] ?? '';
  t.match(lint, /^\tknip$/m);
  t.match(lint, /^\tknip --production --config knip\.production\.jsonc$/m);
});
