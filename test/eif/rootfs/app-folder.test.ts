import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t, { type Test } from 'tap';
import { appEnclaveSchema } from '../../../config/app/app-enclave.ts';
import { EifBuildError } from '../../../eif/build-errors.ts';
import { appFolder } from '../../../eif/rootfs/app-folder.ts';
import { rejectsCode } from '../../support/coded-error.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const configOf = (program: object) =>
  appEnclaveSchema.parse({ version: 1, workload: 'app', name: 'web', programs: { web: program } });
const WEB = configOf({ command: ['web'] });

function folderWith(t: Test, files: Readonly<Record<string, number>>): string {
  const folder = temporaryFolder(t);
  for (const [name, mode] of Object.entries(files)) {
    const path = join(folder, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, name);
    chmodSync(path, mode);
  }
  return folder;
}

t.test('takes files as they are, root’s, with what the enclave mounts over and writes', async (t) => {
  const folder = folderWith(t, { 'app/usr/bin/web': 0o755, 'app/etc/web.conf': 0o640, 'app/tmp/left': 0o644 });
  const { files, folders } = await appFolder(folder, WEB);
  t.same(
    files.map(({ name, mode }) => [name, mode.toString(8)]),
    [
      ['etc/web.conf', '644'],
      ['tmp/left', '644'],
      ['usr/bin/web', '755'],
      ['etc/hosts', '644'],
      ['etc/resolv.conf', '644'],
    ],
  );
  t.same(folders.map(({ name, mode }) => `${name} ${mode.toString(8)}`).toSorted(), [
    'dev 755',
    'etc 755',
    'proc 555',
    'run 755',
    'sys 555',
    'tmp 1777',
    'usr 755',
    'usr/bin 755',
  ]);
});

t.test('rejects a measured folder without programs (EIF_BUILD_NO_PROGRAMS)', async (t) => {
  await rejectsCode(() => appFolder(folderWith(t, {}), WEB), EifBuildError, 'EIF_BUILD_NO_PROGRAMS');
});

t.test(
  'rejects a program that is not where it is looked for, or not executable (EIF_BUILD_PROGRAM_MISSING)',
  async (t) => {
    const folder = folderWith(t, { 'app/opt/web': 0o755, 'app/opt/data': 0o644 });
    for (const program of [
      { command: ['web'] },
      { command: ['/web'] },
      { command: ['./web'] },
      { command: ['/opt/data'] },
      { command: ['web'], environment: { PATH: '/usr/bin:/' } },
    ])
      await rejectsCode(() => appFolder(folder, configOf(program)), EifBuildError, 'EIF_BUILD_PROGRAM_MISSING');
    for (const program of [
      { command: ['/opt/web'] },
      { command: ['./web'], workingFolder: '/opt' },
      { command: ['web'], environment: { PATH: '/usr/bin:/opt' } },
    ])
      await appFolder(folder, configOf(program));
  },
);

t.test('rejects links, and what anybody could have changed', async (t) => {
  const folder = folderWith(t, { 'app/usr/bin/web': 0o755 });
  symlinkSync('web', join(folder, 'app/usr/bin/link'));
  await rejectsCode(() => appFolder(folder, WEB), EifBuildError, 'EIF_BUILD_FILE_TYPE');
  for (const mode of [0o757, 0o4755, 0o2755])
    await rejectsCode(
      () => appFolder(folderWith(t, { 'app/usr/bin/web': mode }), WEB),
      EifBuildError,
      'EIF_BUILD_FILE_MODE',
    );
});
