/** From an empty account: what cannot be made yet is left out, and the key opens for nobody until there is an image. */

import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { App } from 'aws-cdk-lib';
import t, { type Test } from 'tap';
import { temporaryFolder } from '../../../test/support/temporary-folder.ts';
import { readDeployment } from '../config/read.ts';
import { addDeployment } from '../stacks/deployment.ts';
import { at, list, stringsIn } from './support/look.ts';
import { APP } from './support/synthesized.ts';

const { context } = JSON.parse(readFileSync(join(APP, 'cdk.json'), 'utf8'));

/** An example without the lines that match. */
function madeOf(t: Test, example: string, without: readonly RegExp[]) {
  const folder = temporaryFolder(t);
  cpSync(join(APP, 'examples'), folder, { recursive: true });
  const file = join(folder, `${example}.yaml`);
  const text = without.reduce((rest, pattern) => rest.replace(pattern, ''), readFileSync(file, 'utf8'));
  writeFileSync(file, text);
  const app = new App({ context, outdir: join(folder, 'out') });
  const notes = addDeployment(app, readDeployment(file));
  const stacks = app.synth().stacks.map(({ stackName, template }) => [stackName, template] as const);
  return { notes, stacks: new Map(stacks) };
}

const IMAGE = /\n {4}image:(\n {6,}[^\n]+)+/g;
const ARN = /\n {2}arn: [^\n]+/;

t.test('makes a key that nobody can open, and no fleet, before there is an image', async (t) => {
  const { notes, stacks } = madeOf(t, 'multi-az', [IMAGE, ARN]);
  t.same(
    [...stacks.keys()].toSorted(),
    ['database', 'foundation', 'key', 'watch'].map((what) => `acra-eu-central-1-${what}`),
  );
  t.match(notes, [/acra-eu-central-1-fleet: there is no image yet/]);
  const policy = at(stacks.get('acra-eu-central-1-key'), 'Resources', 'MasterKey', 'Properties', 'KeyPolicy');
  const reveal = list(at(policy, 'Statement')).filter(
    (each) =>
      each['Effect'] === 'Allow' && stringsIn(each['Action']).some((action) => /Decrypt|GenerateDataKey/.test(action)),
  );
  t.equal(reveal.length, 1);
  t.equal(
    at(reveal[0], 'Condition', 'StringEqualsIgnoreCase', 'kms:RecipientAttestation:ImageSha384'),
    'ff'.repeat(48),
    'a measurement that nobody can show',
  );
});

t.test('makes a replica when the primary key is known, and not before', async (t) => {
  const { notes, stacks } = madeOf(t, 'multi-region', [IMAGE, ARN]);
  t.ok(stacks.has('acra-eu-central-1-key'));
  t.notOk(stacks.has('acra-eu-west-1-key'));
  t.match(notes.join('\n'), /acra-eu-west-1-key: a replica needs key\.arn/);
});
