/** The same container image gives the same three files of an enclave image, in whatever form it is, whoever builds, where and when. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, chownSync, mkdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { othersMayEnter } from '../../support/others-may-enter.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { PROJECT } from '../image/support/build.ts';
import { type TestImage, writeDockerArchive, writeLayout } from './support/layout.ts';
import { elf, file, symlink } from './support/programs.ts';

const BUILD = new URL('support/build.ts', import.meta.url).pathname;
const IMAGE: TestImage = {
  layers: [
    [
      elf('bin/app'),
      symlink('sbin', 'bin'),
      { name: 'z', text: 'shared', uid: 5, gid: 6, mtimeS: 1_234 },
      { name: 'a', type: '1', target: 'z' },
      { name: 'srv/', type: '5', mode: 0o1770, uid: 7, gid: 8 },
      file('etc/os-release', 'ID=test\n'),
    ],
    [file('srv/x'), file('.wh.sbin')],
  ],
};

interface Circumstances {
  readonly image: string;
  readonly umask: string;
  readonly workingFolder: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly user?: number;
}

function build(folder: string, { image, umask, workingFolder, environment, user }: Circumstances) {
  mkdirSync(folder, { recursive: true });
  if (user !== undefined) chownSync(folder, user, user);
  const words = ['-c', 'umask "$0"; exec "$@"', umask, process.execPath, BUILD, folder, image, '1'];
  execFileSync('/bin/sh', words, {
    cwd: workingFolder,
    env: environment,
    stdio: ['ignore', 'ignore', 'inherit'],
    ...(user === undefined ? {} : { uid: user, gid: user }),
  });
  return ['acra-enclave.eif', 'measurements.json', 'bom.json'].map((name) =>
    createHash('sha256')
      .update(readFileSync(join(folder, 'build', name)))
      .digest('hex'),
  );
}

t.test(
  'keeps image, measurements and bill equal over form, folder, time, umask, TZ, locale, HOME and user',
  async (t) => {
    const root = temporaryFolder(t);
    chmodSync(root, 0o755);
    process.umask(0o022);
    const first = build(join(root, 'a'), {
      image: `oci:${writeLayout(join(root, 'layout'), { ...IMAGE, form: 'zstd' })}`,
      umask: '022',
      workingFolder: root,
      environment: { PATH: '/usr/bin:/bin', HOME: '/root', TZ: 'UTC', LANG: 'C' },
    });
    const second = build(join(root, 'a rather longer', 'folder näme'), {
      image: `docker-archive:${writeDockerArchive(join(root, 'saved.tar'), IMAGE)}`,
      umask: '077',
      workingFolder: '/',
      environment: { PATH: '/bin', HOME: root, TZ: 'Pacific/Kiritimati', LANG: 'tr_TR.UTF-8', LC_ALL: 'tr_TR.UTF-8' },
      ...(process.getuid?.() === 0 && othersMayEnter(PROJECT) && othersMayEnter(tmpdir()) ? { user: 65534 } : {}),
    });
    t.same(second, first);
  },
);
