/** docs/guide.md as somebody follows it on a laptop: every command of that part, in its order and as it stands there. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { guideBlocks, runGuide } from '../support/guide.ts';
import { withoutPsql } from '../support/psql.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const withoutJq = spawnSync('jq', ['--version']).status === 0 ? false : 'jq is not installed';

t.test(
  'leads from a checkout to a verified enclave, and to a folder of one’s own',
  { skip: withoutPsql || withoutJq },
  async (t) => {
    t.ok(guideBlocks('laptop').length > 6);
    const WORK = temporaryFolder(t);
    mkdirSync(join(WORK, 'demo'));
    writeFileSync(join(WORK, 'demo/endpoints.json'), '{"of": "one that was killed"}');
    const { code, stdout, stderr } = await runGuide('laptop', { WORK });
    t.equal(code, 0, `${stdout.slice(-2_000)}\n${stderr.slice(-2_000)}`);
    for (const seen of [
      'Every step held.',
      'Ada  | well',
      'CN=billing,O=Example',
      'not there yet master-key.json',
      'passes',
    ])
      t.ok(stdout.includes(seen), seen);
    t.notMatch(stdout, /stored.*\n.*\n.*well/, 'the database has no plaintext');
  },
);

t.test('waits no longer than the demo runs, which may not have started', async (t) => {
  const waiting = guideBlocks('laptop').filter((block) => block.includes('until '));
  t.equal(waiting.length, 1);
  const script = `bin/acra-enclave() { return 1; }\n${waiting.join()}`;
  const env = { ...process.env, WORK: temporaryFolder(t) };
  const { status, error } = spawnSync('bash', ['-c', script], { env, timeout: 20_000, encoding: 'utf8' });
  t.equal(error, undefined);
  t.equal(status, 0);
});
