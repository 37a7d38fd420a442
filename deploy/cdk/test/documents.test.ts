/** Commands of the documents that deploy: whoever runs one has rights to what it deploys, and to nothing else. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { APP } from './support/synthesized.ts';

const DOCUMENTS = ['deploy-cdk.md', 'guide.md'];

for (const name of DOCUMENTS)
  t.test(`deploys the key alone, without the stacks that its deployer has no right to (${name})`, async (t) => {
    const text = readFileSync(join(APP, '../../docs', name), 'utf8');
    const deploys = [...text.matchAll(/cdk deploy ([^\n`]+)/g)].map(([, words = '']) => words);
    const ofKey = deploys.filter((words) => words.includes('-key'));
    t.ok(ofKey.length > 0);
    for (const words of ofKey) t.match(words, / --exclusively /, words);
  });
