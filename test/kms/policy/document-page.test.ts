/** The policies that docs/kms.md shows are those that the command makes. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { makeKeyPolicy, makeRolePolicy } from '../../../kms/policy/key-policy.ts';
import { PROJECT } from '../../project/imports.ts';
import { registers, WISH } from './support/wishes.ts';

const page = readFileSync(join(PROJECT, 'docs/kms.md'), 'utf8');
const [ofKey = '', ofRole = ''] = [...page.matchAll(/```json\n([^`]+)```/g)].map(([, text]) => text);

t.test('keeps the policies of the page equal to those that are made', async (t) => {
  const wish = {
    ...WISH,
    measurements: [registers({ 0: 'a0', 3: 'a3' })],
    encryptionContext: { purpose: 'acra-master-key' },
  };
  t.same(JSON.parse(ofKey), makeKeyPolicy(wish));
  t.same(JSON.parse(ofRole), makeRolePolicy(wish));
});
