import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { ACRA_PROGRAM_PATH } from '../../wire/image-layout.ts';

const NO_IMAGE = fileURLToPath(new URL('./support/no-image.ts', import.meta.url));
const isImage = existsSync(join('/', ACRA_PROGRAM_PATH)) && 'this machine has the files of an image';

t.test('says on the console why it ends when the image lacks what every boot needs', { skip: isImage }, async (t) => {
  const { stderr, status } = spawnSync(process.execPath, [NO_IMAGE], { encoding: 'utf8' });
  t.match(JSON.parse(stderr), { level: 'fatal', event: 'machine.ending', code: 'ENOENT', reason: ACRA_PROGRAM_PATH });
  t.equal(status, 1);
});
