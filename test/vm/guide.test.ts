/** docs/guide.md on QEMU's machine: every command of that part, as it stands there. */
import t from 'tap';
import { guideBlocks, runGuide } from '../support/guide.ts';

t.test('boots the measured image that the guide promises', async (t) => {
  t.ok(guideBlocks('qemu').length > 0);
  const { code, stdout, stderr } = await runGuide('qemu', {});
  t.equal(code, 0, `${stdout.slice(-2_000)}\n${stderr.slice(-2_000)}`);
  t.match(stdout, 'Every step held.');
});
