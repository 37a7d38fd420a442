/** Findings that are acknowledged stand in docs/deploy-cdk.md, each of them, and no others do. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { APP } from './support/synthesized.ts';

t.test('keeps the list of acknowledged findings equal to those in the code', async (t) => {
  const sources = readdirSync(join(APP, 'parts')).map((file) => readFileSync(join(APP, 'parts', file), 'utf8'));
  const acknowledged = sources.flatMap((text) =>
    [...text.matchAll(/\.acknowledge\(\{\s*id: ['`]([^'`]+)['`]/g)].map(([, id]) => id),
  );
  const document = readFileSync(join(APP, '../../docs/deploy-cdk.md'), 'utf8');
  const [, section = ''] = document.split('## What cdk-nag would find\n');
  const told = [...(section.split('\n## ')[0] ?? '').matchAll(/^\| `([^`]+)` \|/gm)].map(([, id]) => id);
  t.equal(acknowledged.length, 4);
  t.same(told.toSorted(), acknowledged.toSorted());
});
