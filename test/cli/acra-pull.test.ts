/** `acra pull` as a user runs it, with a skopeo that brings an image of the test. */
import { dirname, join } from 'node:path';
import t from 'tap';
import { directoryImage, fakeSkopeo, tinyElf } from '../acra/support/fake-image.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { acraEnclave } from './support/acra-enclave.ts';

const folder = temporaryFolder(t);
const PROGRAM = { path: 'acra-server', content: tinyElf(), mode: 0o755 };
const { program } = fakeSkopeo(join(folder, 'tool'), directoryImage([[PROGRAM]]));
const environment = { XDG_CACHE_HOME: folder, PATH: `${dirname(program)}:${process.env['PATH']}` };
const pull = (...words: readonly string[]) => acraEnclave(['acra', 'pull', ...words], environment);

t.test('says loudly that the first image was trusted unseen, and the digests to compare', async (t) => {
  const first = await pull();
  t.equal(first.code, 0, first.stderr);
  t.match(first.stdout, /nobody has vouched for this image/);
  t.match(first.stdout, /manifest sha256:[0-9a-f]{64}\n {2}image id sha256:[0-9a-f]{64}\n/);
  const second = await pull();
  t.notMatch(second.stdout, /vouched/, 'the lock file vouches for it now');
  const { trust, manifestDigest } = JSON.parse((await pull('--json')).stdout);
  t.equal(trust, 'lock');
  t.equal(JSON.parse((await pull('--json', '--digest', manifestDigest)).stdout).trust, 'digest');
});

t.test('rejects a digest that is none (CLI_OPTION), and one of another image (ACRA_IMAGE_DIGEST)', async (t) => {
  t.match((await pull('--digest', '0.96.0')).stderr, 'error CLI_OPTION:');
  t.match((await pull('--digest', `sha256:${'0'.repeat(64)}`)).stderr, 'error ACRA_IMAGE_DIGEST:');
});
