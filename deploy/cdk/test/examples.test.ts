/** `cdk synth` of each example, without an account, and every claim of docs/deploy-cdk.md held to what it writes. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { DATA } from './requirements/data.ts';
import { ENDPOINTS } from './requirements/endpoints.ts';
import { FIREWALL } from './requirements/firewall.ts';
import { FLEET } from './requirements/fleet.ts';
import { KEYS } from './requirements/keys.ts';
import { METRICS } from './requirements/metrics.ts';
import { NETWORK } from './requirements/network.ts';
import { APP, EXAMPLES, type Example, type Synthesized, synthesize } from './support/synthesized.ts';

const REQUIREMENTS = [...NETWORK, ...ENDPOINTS, ...FLEET, ...DATA, ...KEYS, ...METRICS, ...FIREWALL];
/** Whole templates of one example; of the others which resources there are. */
const SHOWN_WHOLE: Example = 'multi-az';

function snapshotOf(example: Example, { templates, resources }: Synthesized): string {
  const shown =
    example === SHOWN_WHOLE
      ? Object.fromEntries(templates)
      : Object.fromEntries(resources.map(({ stack, id, type }) => [`${stack}/${id}`, type]));
  return `${JSON.stringify(shown, null, 1)}\n`;
}

for (const example of EXAMPLES) {
  t.test(`example ${example}`, async (t) => {
    const made = synthesize(example);
    t.test('keeps every rule of AwsSolutionsChecks and of CloudFormation’s own', async (t) => {
      t.same(made.violations, []);
    });
    for (const { name, check } of REQUIREMENTS) t.test(name, async (t) => check(t, made));
    t.test('keeps the templates as they were: CDK_SNAPSHOTS=1 writes them anew', async (t) => {
      const file = join(APP, 'test/snapshots', `${example}.json`);
      const snapshot = snapshotOf(example, made);
      if (process.env['CDK_SNAPSHOTS'] === '1') writeFileSync(file, snapshot);
      t.equal(existsSync(file) ? readFileSync(file, 'utf8') : '', snapshot);
    });
  });
}
