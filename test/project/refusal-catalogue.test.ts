/** docs/refusals.md and the kinds of refusals in the code say the same, both ways. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { Refusal } from '../../acra/statements/refusal.ts';
import { addressOf, hintOf } from '../../acra/statements/refusal-hint.ts';
import { REFUSAL_KINDS, REFUSALS } from '../../acra/statements/refusal-kinds.ts';
import { renderRefusalDocument } from '../../cli/refusal-document.ts';
import { filesOf, PROJECT, readSource } from './imports.ts';
import { SOURCE_FOLDERS } from './source-folders.ts';

const document = readFileSync(join(PROJECT, 'docs/refusals.md'), 'utf8');
/** Of what is judged in other places than statements. */
const AHEAD = ['setting'];

t.test('keeps docs/refusals.md equal to the catalogue', async (t) => {
  t.equal(document, renderRefusalDocument(), 'run `make error-docs` and commit the result');
});

t.test('keeps a section of the page for every address that a client is told, and no other', async (t) => {
  const sections = [...document.matchAll(/^## (.+)$/gm)].map(([, heading = '']) => `docs/refusals.md#${heading}`);
  t.same(sections, REFUSAL_KINDS.map(addressOf));
});

t.test('keeps kinds to names that labels, logs and anchors can have', async (t) => {
  for (const kind of REFUSAL_KINDS) t.match(kind, /^[a-z]+(-[a-z]+)*$/);
});

t.test('keeps every hint to one short line that ends with the address', async (t) => {
  for (const kind of REFUSAL_KINDS) {
    const hint = hintOf(kind);
    t.ok(hint.endsWith(`. See ${addressOf(kind)}`), hint);
    t.ok(hint.length < 250 && !hint.includes('\n'), hint);
  }
});

t.test('keeps the state of a refusal to those of its kind, the first by default', async (t) => {
  for (const kind of REFUSAL_KINDS) {
    const refusal = new Refusal(kind, 'why');
    t.equal(refusal.sqlState, REFUSALS[kind].sqlStates[0]);
    t.equal(refusal.hint, hintOf(kind));
    for (const state of REFUSALS[kind].sqlStates) t.match(state, /^[0-9A-Z]{5}$/);
  }
});

t.test('keeps no kind that nothing is refused with', async (t) => {
  const source = filesOf(SOURCE_FOLDERS)
    .filter((file) => !file.endsWith('/refusal-kinds.ts'))
    .map(readSource)
    .join('\n');
  t.same(
    REFUSAL_KINDS.filter((kind) => !source.includes(`'${kind}'`) && !AHEAD.includes(kind)),
    [],
  );
});
