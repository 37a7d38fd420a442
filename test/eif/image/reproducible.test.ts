/** The same inputs give the same three files, whoever builds them, where and when. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, chownSync, mkdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { othersMayEnter } from '../../support/others-may-enter.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { PROJECT } from './support/build.ts';
import { linkProject } from './support/second-project.ts';

const BUILD = 'test/eif/image/support/build.ts';
const RESULTS = ['acra-enclave.eif', 'measurements.json', 'bom.json'];

interface Circumstances {
  /** Where the project lies. */
  readonly project: string;
  readonly umask: string;
  readonly workingFolder: string;
  readonly environment: Readonly<Record<string, string>>;
  /** Numeric user, where this process may become another. */
  readonly user?: number;
}

function digests(folder: string): Record<string, string> {
  const digest = (name: string) =>
    createHash('sha256')
      .update(readFileSync(join(folder, 'build', name)))
      .digest('hex');
  return Object.fromEntries(RESULTS.map((name) => [name, digest(name)]));
}

function build(
  folder: string,
  { project, umask, workingFolder, environment, user }: Circumstances,
): Record<string, string> {
  mkdirSync(folder, { recursive: true });
  if (user !== undefined) chownSync(folder, user, user);
  execFileSync('/bin/sh', ['-c', 'umask "$0"; exec "$@"', umask, process.execPath, join(project, BUILD), folder], {
    cwd: workingFolder,
    env: environment,
    stdio: ['ignore', 'ignore', 'inherit'],
    ...(user === undefined ? {} : { uid: user, gid: user }),
  });
  return digests(folder);
}

t.test(
  'keeps image, measurements and bill equal over project, folder, time, umask, TZ, locale, HOME and user',
  async (t) => {
    const root = temporaryFolder(t);
    chmodSync(root, 0o755);
    process.umask(0o022);
    const first = build(join(root, 'a'), {
      project: PROJECT,
      umask: '022',
      workingFolder: root,
      environment: { PATH: '/usr/bin:/bin', HOME: '/root', TZ: 'UTC', LANG: 'C' },
    });
    const elsewhere = join(root, 'a rather longer', 'folder näme');
    const project = join(root, 'a second project', 'of another', 'length and depth');
    linkProject(project);
    const second = build(elsewhere, {
      project,
      umask: '077',
      workingFolder: '/',
      environment: {
        PATH: '/bin',
        HOME: root,
        TZ: 'Pacific/Kiritimati',
        LANG: 'tr_TR.UTF-8',
        LC_ALL: 'tr_TR.UTF-8',
        USER: 'somebody',
        NODE_PATH: root,
        SOURCE_DATE_EPOCH: '12345',
      },
      ...(process.getuid?.() === 0 && othersMayEnter(PROJECT) && othersMayEnter(tmpdir()) ? { user: 65534 } : {}),
    });
    t.same(second, first);
  },
);
