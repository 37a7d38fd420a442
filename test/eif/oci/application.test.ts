/** The application's file system of an enclave image: the same bytes from every form of a container image, and what is left out or refused. */
import { join } from 'node:path';
import t from 'tap';
import { writeCpio } from '../../../eif/cpio/writer.ts';
import { OciError } from '../../../eif/oci/errors.ts';
import { toCpioItems } from '../../../eif/rootfs/content.ts';
import { rejectsCode } from '../../support/coded-error.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { collect } from '../support/bytes.ts';
import { applicationOf } from './support/application.ts';
import {
  digestOf,
  makeImage,
  type TestImage,
  writeDockerArchive,
  writeLayout,
  writeOciArchive,
} from './support/layout.ts';
import { elf, file, program, symlink } from './support/programs.ts';
import type { TestEntry } from './support/tar.ts';

const LAYERS: TestImage['layers'] = [
  [
    elf('bin/app'),
    symlink('sbin', 'bin'),
    { name: 'z', text: 'shared', uid: 5, gid: 6, mtimeS: 1_234 },
    { name: 'a', type: '1', target: 'z' },
    { name: 'srv/', type: '5', mode: 0o750, uid: 7, gid: 8 },
  ],
  [{ name: 'srv/x', text: 'x', mtimeS: 99 }],
];

type Application = Awaited<ReturnType<typeof applicationOf>>;

async function bytesOf({ content }: Application): Promise<Buffer> {
  return collect(writeCpio(toCpioItems(content), 'sorted'));
}

t.test(
  'gives the same bytes from a folder, an OCI archive and an archive of docker, however layers are compressed',
  async (t) => {
    const root = temporaryFolder(t);
    const images = [
      `oci:${writeLayout(join(root, 'plain'), { layers: LAYERS })}`,
      `oci:${writeLayout(join(root, 'gzip'), { layers: LAYERS, form: 'gzip', tag: 'v1' })}:v1`,
      `oci-archive:${writeOciArchive(join(root, 'oci.tar'), { layers: LAYERS, form: 'zstd' })}`,
      `docker-archive:${writeDockerArchive(join(root, 'docker.tar'), { layers: LAYERS })}`,
      `docker-archive:${writeDockerArchive(join(root, 'named.tar'), { layers: LAYERS }, ['a:1'])}:a:1`,
    ];
    const results: { readonly bytes: string; readonly components: unknown }[] = [];
    for (const [index, image] of images.entries()) {
      const application = await applicationOf(join(root, String(index)), image, { programs: [program()] });
      results.push({ bytes: digestOf(await bytesOf(application)), components: application.components });
    }
    for (const each of results) t.same(each, results[0]);
  },
);

t.test('gives the same bytes from layers that differ in times only', async (t) => {
  const root = temporaryFolder(t);
  const later = LAYERS.map((layer) => (layer as readonly TestEntry[]).map((entry) => ({ ...entry, mtimeS: 5_555 })));
  const bytes = async (name: string, layers: TestImage['layers']) =>
    bytesOf(await applicationOf(join(root, `${name}.work`), `oci:${writeLayout(join(root, name), { layers })}`));
  t.same(await bytes('a', LAYERS), await bytes('b', later));
});

t.test('keeps owners, modes and links, and a file with two names once', async (t) => {
  const root = temporaryFolder(t);
  const { content } = await applicationOf(root, `oci:${writeLayout(join(root, 'i'), { layers: LAYERS })}`);
  t.match(
    content.files.find(({ name }) => name === 'a'),
    { mode: 0o644, owner: 5, group: 6 },
  );
  t.match(
    content.folders.find(({ name }) => name === 'srv'),
    { mode: 0o750, owner: 7, group: 8 },
  );
  t.same(content.links, [
    { kind: 'symbolic', name: 'sbin', target: 'bin', owner: 0, group: 0 },
    { kind: 'hard', name: 'z', to: 'a' },
  ]);
});

t.test('has plain folders and files where the enclave mounts, and nothing of the image below them', async (t) => {
  const root = temporaryFolder(t);
  const layers = [
    [
      file('tmp/leftover'),
      { name: 'proc/', type: '5', mode: 0o500 },
      symlink('run', 'var/run'),
      file('var/run/x'),
      symlink('etc/resolv.conf', '/run/resolv.conf'),
      file('etc/hosts', '10.0.0.1 db\n'),
      { name: 'dev/null', type: '3' },
    ],
  ];
  const told: string[] = [];
  const { content } = await applicationOf(root, `oci:${writeLayout(join(root, 'i'), { layers })}`, {
    onProgress: (line) => told.push(line),
  });
  const folders = Object.fromEntries(content.folders.map(({ name, mode }) => [name, mode.toString(8)]));
  t.same(folders, {
    dev: '755',
    etc: '755',
    proc: '755',
    run: '755',
    sys: '755',
    tmp: '1777',
    var: '755',
    'var/run': '755',
  });
  t.same(content.files.map(({ name }) => name).toSorted(), ['etc/hosts', 'etc/resolv.conf', 'var/run/x']);
  t.same(content.links, []);
  t.ok(told.some((line) => line.includes('/tmp/leftover')));
  t.ok(told.some((line) => line.includes('/dev/null')));
});

t.test('makes the working folder that an image names and no layer has, as who starts a container does', async (t) => {
  const root = temporaryFolder(t);
  const layers = [[elf('bin/app'), symlink('srv', 'var/srv')]];
  const image = `oci:${writeLayout(join(root, 'i'), { layers, run: { WorkingDir: '/srv/data' } })}`;
  const programs = [program({ workingFolder: '/srv/data' })];
  const { content } = await applicationOf(root, image, { extent: 'closure', programs });
  t.match(
    content.folders.find(({ name }) => name === 'var/srv/data'),
    { mode: 0o755, owner: 0, group: 0 },
  );
  const other = applicationOf(join(root, 'other'), image, { programs: [program({ workingFolder: '/srv/dat' })] });
  await rejectsCode(() => other, OciError, 'EIF_OCI_PROGRAM');
});

t.test('makes plain files of what the enclave writes, also where the image has folders', async (t) => {
  const root = temporaryFolder(t);
  const image = `oci:${writeLayout(join(root, 'i'), { layers: [[file('etc/hosts/x'), file('etc/resolv.conf/y')]] })}`;
  const application = await applicationOf(root, image);
  t.same(application.content.files.map(({ name }) => name).toSorted(), ['etc/hosts', 'etc/resolv.conf']);
  t.ok((await bytesOf(application)).length > 0);
});

t.test('shows names of an image so that no terminal obeys them', async (t) => {
  const root = temporaryFolder(t);
  const layers = [[{ name: 'a\x1b]0;x\x07\nlocked: all', type: '6' }]];
  const told: string[] = [];
  const onProgress = (line: string) => told.push(line);
  await applicationOf(root, `oci:${writeLayout(join(root, 'i'), { layers })}`, { onProgress });
  t.ok(told.some((line) => line.includes('/a\\x1b]0;x\\x07\\x0alocked: all')));
});

t.test(
  'rejects an image whose etc is a link, which the enclave would write through (EIF_OCI_CONFIGURATION)',
  async (t) => {
    const root = temporaryFolder(t);
    const image = `oci:${writeLayout(join(root, 'i'), { layers: [[symlink('etc', 'usr/etc')]] })}`;
    await rejectsCode(() => applicationOf(root, image), OciError, 'EIF_OCI_CONFIGURATION');
  },
);

const CAPABLE = { pax: { 'SCHILY.xattr.security.capability': 'x' } };
const PRIVILEGED: readonly TestEntry[] = [
  { name: 'bin/su', mode: 0o4755 },
  { name: 'bin/chage', mode: 0o2755 },
  { name: 'bin/ping', mode: 0o755, ...CAPABLE },
  { name: 'not-run', mode: 0o4644 },
  { name: 'folder/', type: '5', mode: 0o2775 },
];

async function modesOf(root: string, layers: TestImage['layers'], setuid: 'refuse' | 'drop' | 'keep') {
  const image = `oci:${writeLayout(join(root, setuid), { layers })}`;
  const { content } = await applicationOf(join(root, `${setuid}.work`), image, { setuid });
  return Object.fromEntries([...content.files, ...content.folders].map(({ name, mode }) => [name, mode.toString(8)]));
}

t.test(
  'rejects programs with rights of others unless it is said what to do, and names them (EIF_OCI_PRIVILEGE)',
  async (t) => {
    const root = temporaryFolder(t);
    const error = await rejectsCode(() => modesOf(root, [PRIVILEGED], 'refuse'), OciError, 'EIF_OCI_PRIVILEGE');
    t.same(error.found, '/bin/chage, /bin/su, /bin/ping');
    t.match(await modesOf(root, [PRIVILEGED], 'drop'), { 'bin/su': '755', 'bin/chage': '755', folder: '2775' });
  },
);

t.test(
  'keeps set-id bits where that is said, but has no place for file capabilities (EIF_OCI_PRIVILEGE)',
  async (t) => {
    const root = temporaryFolder(t);
    const error = await rejectsCode(() => modesOf(root, [PRIVILEGED], 'keep'), OciError, 'EIF_OCI_PRIVILEGE');
    t.equal(error.found, '/bin/ping');
    const layers = [PRIVILEGED.filter(({ name }) => name !== 'bin/ping')];
    t.match(await modesOf(temporaryFolder(t), layers, 'keep'), { 'bin/su': '4755', 'bin/chage': '2755' });
  },
);

t.test('takes with closure only what programs need, privileges of others included', async (t) => {
  const root = temporaryFolder(t);
  const layers = [[elf('bin/app'), { name: 'bin/su', mode: 0o4755 }, file('usr/share/doc')]];
  const image = `oci:${writeLayout(join(root, 'i'), { layers })}`;
  const { content } = await applicationOf(root, image, { extent: 'closure', programs: [program()] });
  t.same(content.files.map(({ name }) => name).toSorted(), ['bin/app', 'etc/hosts', 'etc/resolv.conf']);
});

t.test('checks the programs of a whole image too (EIF_OCI_PROGRAM)', async (t) => {
  const root = temporaryFolder(t);
  const image = `oci:${writeLayout(join(root, 'i'), { layers: [[file('a')]] })}`;
  await rejectsCode(() => applicationOf(root, image, { programs: [program()] }), OciError, 'EIF_OCI_PROGRAM');
});

t.test('rejects another image than the locked one, before its layers are read (EIF_OCI_LOCKED)', async (t) => {
  const root = temporaryFolder(t);
  const [one, other] = ['one', 'other'].map((text) => {
    const layers = [[file('a', text)]];
    return `oci:${writeLayout(join(root, text), { layers })}`;
  });
  const { lock } = await applicationOf(join(root, '1'), one!);
  t.match(lock, { version: 1, image: one, config: makeImage({ layers: [[file('a', 'one')]] }).config.digest });
  await applicationOf(join(root, '2'), one!, { lock });
  const read: string[] = [];
  const changes = { lock, onProgress: (line: string) => read.push(line) };
  await rejectsCode(() => applicationOf(join(root, '3'), other!, changes), OciError, 'EIF_OCI_LOCKED');
  t.same(read, []);
});

t.test('tells the packages of dpkg and apk, and the distribution, for the bill of materials', async (t) => {
  const root = temporaryFolder(t);
  const status =
    'Package: libc6\nStatus: install ok installed\nArchitecture: amd64\nVersion: 2.36-9+deb12u14\n\n' +
    'Package: gone\nStatus: deinstall ok config-files\nVersion: 1\n';
  const layers = [
    [
      file('etc/os-release', 'ID=debian\nPRETTY_NAME="Debian GNU/Linux 12"\n'),
      file('var/lib/dpkg/status', status),
      file('var/lib/dpkg/status.d/tzdata', 'Package: tzdata\nVersion: 2025a\nArchitecture: all\n'),
      file('lib/apk/db/installed', 'C:Q1\nP:musl\nV:1.2.5-r0\nA:x86_64\n\n'),
    ],
  ];
  const { components } = await applicationOf(root, `oci:${writeLayout(join(root, 'i'), { layers })}`);
  t.equal(components[0]?.properties?.['distribution'], 'Debian GNU/Linux 12');
  t.same(
    components.slice(1).map(({ purl }) => purl),
    [
      'pkg:deb/debian/libc6@2.36-9%2Bdeb12u14?arch=amd64',
      'pkg:deb/debian/tzdata@2025a?arch=all',
      'pkg:apk/debian/musl@1.2.5-r0?arch=x86_64',
    ],
  );
});
