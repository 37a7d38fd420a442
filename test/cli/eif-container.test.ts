/** `eif build --image` and `eif programs` as a user runs them: from a container image to an enclave image with any application. */
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { parse } from 'yaml';
import { writeDockerArchive, writeLayout } from '../eif/oci/support/layout.ts';
import { elf, file } from '../eif/oci/support/programs.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { acraEnclave } from './support/acra-enclave.ts';

const ENCLAVE = 'version: 1\nworkload: app\nname: test\nprograms:\n  app: {command: [app, --serve]}\n';
const RUN = { Entrypoint: ['app'], Cmd: ['--serve'], User: 'web', WorkingDir: '/srv' };
const LAYERS = [[elf('usr/bin/app'), file('srv/x'), file('etc/passwd', 'web:x:101:102::/:/bin/false\n')]];

interface Place {
  readonly folder: string;
  readonly build: (...words: readonly string[]) => ReturnType<typeof acraEnclave>;
}

function placeIn(folder: string, application = ''): Place {
  mkdirSync(join(folder, 'enclave'), { recursive: true });
  writeFileSync(join(folder, 'enclave', 'enclave.yaml'), ENCLAVE);
  writeFileSync(join(folder, 'bzImage'), 'KERNEL');
  const recipe = `version: 1\nkernel: {file: bzImage}\ncompression: {zstd: 1}\n${application}`;
  writeFileSync(join(folder, 'image.yaml'), recipe);
  const words = ['eif', 'build', '--enclave', join(folder, 'enclave'), '--recipe', join(folder, 'image.yaml')];
  const output = ['--output', join(folder, 'build'), '--json'];
  return { folder, build: (...more) => acraEnclave([...words, ...output, ...more]) };
}

interface Component {
  readonly type: string;
  readonly name: string;
  readonly components?: readonly Component[];
}

/** Files of the image, as its bill of materials has them. */
function pathsIn(folder: string): readonly string[] {
  const { components } = JSON.parse(readFileSync(join(folder, 'build', 'bom.json'), 'utf8')) as Required<Component>;
  const all = components.flatMap((each) => each.components ?? []);
  return all.filter(({ type }) => type === 'file').map(({ name }) => name);
}

t.test(
  'builds an image with the application below /app, locks the container image, and leaves nothing else',
  async (t) => {
    const { folder, build } = placeIn(temporaryFolder(t));
    const archive = writeDockerArchive(join(folder, 'app.tar'), { layers: LAYERS });
    const { code, stderr } = await build('--image', `docker-archive:${archive}`);
    t.equal(code, 0, stderr);
    const paths = pathsIn(folder);
    for (const path of ['/app/usr/bin/app', '/app/srv/x', '/app/etc/hosts', '/enclave/enclave.yaml'])
      t.ok(paths.includes(path), path);
    t.notOk(
      paths.some((path) => path.startsWith('/acra/')),
      'no acra-server',
    );
    t.same(readdirSync(join(folder, 'build')).toSorted(), ['acra-enclave.eif', 'bom.json', 'measurements.json']);
    const lock = JSON.parse(readFileSync(join(folder, 'enclave.lock.json'), 'utf8'));
    t.match(lock, { version: 1, image: `docker-archive:${archive}`, platform: /^linux\// });
    const bill = readFileSync(join(folder, 'build', 'bom.json'), 'utf8');
    t.ok(bill.includes(lock.config), 'the bill of materials names the container image');
  },
);

t.test(
  'takes with closure what the program needs only, from the image that image.yaml names beside itself',
  async (t) => {
    const { folder, build } = placeIn(temporaryFolder(t), 'application: {image: "oci:layout:v1", closure: true}\n');
    writeLayout(join(folder, 'layout'), { layers: LAYERS, tag: 'v1' });
    const { code, stderr } = await build();
    t.equal(code, 0, stderr);
    t.ok(pathsIn(folder).includes('/app/usr/bin/app'));
    t.notOk(pathsIn(folder).includes('/app/srv/x'));
  },
);

t.test('rejects another image than the locked one, until it is told to lock it (EIF_OCI_LOCKED)', async (t) => {
  const { folder, build } = placeIn(temporaryFolder(t));
  const image = ['--image', `oci:${writeLayout(join(folder, 'one'), { layers: LAYERS })}`];
  t.equal((await build(...image)).code, 0);
  const other = ['--image', `oci:${writeLayout(join(folder, 'other'), { layers: [...LAYERS, [file('more')]] })}`];
  const before = readFileSync(join(folder, 'build', 'measurements.json'), 'utf8');
  const refused = await build(...other);
  t.not(refused.code, 0);
  t.match(refused.stderr, /EIF_OCI_LOCKED/);
  t.equal(readFileSync(join(folder, 'build', 'measurements.json'), 'utf8'), before);
  const { code } = await build(...other, '--update-lock');
  t.equal(code, 0);
  t.ok(pathsIn(folder).includes('/app/more'));
  t.equal((await build(...other)).code, 0, 'that is locked now');
});

t.test('rejects a program that is not in the image, writes nothing and locks nothing (EIF_OCI_PROGRAM)', async (t) => {
  const { folder, build } = placeIn(temporaryFolder(t));
  const image = `oci:${writeLayout(join(folder, 'layout'), { layers: [[file('a')]] })}`;
  const { code, stderr } = await build('--image', image);
  t.not(code, 0);
  t.match(stderr, /EIF_OCI_PROGRAM/);
  t.notOk(existsSync(join(folder, 'enclave.lock.json')));
  t.same(readdirSync(join(folder, 'build')), []);
});

t.test('prints a section of enclave.yaml that is accepted as it is', async (t) => {
  const { folder, build } = placeIn(temporaryFolder(t));
  const image = `oci:${writeLayout(join(folder, 'layout'), { layers: LAYERS, run: RUN })}`;
  const { code, stdout } = await acraEnclave(['eif', 'programs', '--image', image]);
  t.equal(code, 0);
  t.match(parse(stdout), {
    programs: { app: { command: ['app', '--serve'], user: '101:102', workingFolder: '/srv' } },
  });
  writeFileSync(join(folder, 'enclave', 'enclave.yaml'), `version: 1\nworkload: app\nname: test\n${stdout}`);
  t.equal((await build('--image', image)).code, 0);
});

t.test(
  'says which package is missing where a name in a registry is given and there is no skopeo (EIF_OCI_SKOPEO_MISSING)',
  async (t) => {
    const root = temporaryFolder(t);
    for (const name of ['dirname', 'readlink', 'uname']) symlinkSync(`/usr/bin/${name}`, join(root, name));
    const environment = { PATH: root, XDG_CACHE_HOME: root };
    const { code, stderr } = await acraEnclave(['eif', 'programs', '--image', 'registry/app:1'], environment);
    t.not(code, 0);
    t.match(stderr, /EIF_OCI_SKOPEO_MISSING/);
    t.match(stderr, /skopeo/);
  },
);
