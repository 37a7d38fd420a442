/** `make help` is how people find out what there is. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { PROJECT } from './imports.ts';

t.test('make help lists every target that is described', async (t) => {
  const makefile = readFileSync(join(PROJECT, 'Makefile'), 'utf8');
  const described = [...makefile.matchAll(/^([^\s:]+):.*## /gm)].map(([, name]) => name);
  const env = { PATH: process.env['PATH'] };
  const help = execFileSync('sh', ['-c', 'make --no-print-directory help'], { cwd: PROJECT, env, encoding: 'utf8' });
  const listed = [...help.matchAll(/^ {2}make (\S+) +\S/gm)].map(([, name]) => name);
  t.ok(described.includes('test-ec2'));
  t.same(listed.toSorted(), described.toSorted());
});
