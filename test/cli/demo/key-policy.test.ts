/** The policies that docs/kms.md prints are those that the demo sets. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { keyPolicy, rolePolicy } from '../../../cli/demo/key-policy.ts';
import { parseKeyPolicy, parseRolePolicy } from '../../../emulator/kms/policy/document.ts';
import { toPcrIndex } from '../../../wire/brands.ts';
import { PROJECT } from '../../project/imports.ts';

const document = readFileSync(join(PROJECT, 'docs/kms.md'), 'utf8');
const [ofKey = '', ofRole = ''] = [...document.matchAll(/```json\n([^`]+)```/g)].map(([, text]) => text);
const ADMINISTRATOR = 'arn:aws:iam::111122223333:user/administrator';
const ROLE = 'arn:aws:iam::111122223333:role/acra-enclave';

t.test('keeps the printed policies equal to those of the demo', async (t) => {
  const pcrs = new Map([[toPcrIndex(0), Buffer.alloc(48)]]);
  t.same(JSON.parse(ofKey), keyPolicy({ administratorArn: ADMINISTRATOR, roleArn: ROLE, pcrs }));
  t.same(JSON.parse(ofRole), rolePolicy());
});

t.test('keeps both such that KMS takes them', async (t) => {
  t.equal(parseKeyPolicy(ofKey).length, 2);
  t.match(parseRolePolicy(ofRole, ROLE), [{ effect: 'Allow', principals: [ROLE], actions: ['kms:generaterandom'] }]);
});
