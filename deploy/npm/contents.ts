/**
 * Every file of the npm package: a list made before anything is written. All that runs is a folder like a checkout, `lib/`, with
 * node_modules of its own. Package managers do not look in there: of `bundleDependencies`, npm 11 empties what it has put beside them
 * at a global installation, and yarn asks the registry for each anew.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import packageJson from '../../package.json' with { type: 'json' };
import type { ArchivedFile } from '../archive/tarball.ts';
import { packageFiles } from '../install/packages.ts';
import { installedManifest, runbookFiles } from '../install/plan.ts';
import { reachableFrom } from '../install/sources.ts';
import { type Dependencies, dependenciesOf } from './dependencies.ts';
import { javascriptName, toJavascript } from './javascript.ts';
import { BUILT } from './library.ts';

const MAIN = 'cli/main.ts';
/** What images are bundled from, as in a checkout so that they get the same bytes: the supervisor, and the stand-in for acra-server. */
const IN_IMAGES = ['supervisor/main.ts', 'emulator/acra-server/main.ts'];
const COMMAND = 'bin/acra-enclave';
/** Recipes for the kernel of images, and for the machine of --driver qemu. */
const RECIPES = [
  'eif/kernel/enclave-hardened.config',
  ...['build-kernel.sh', 'build-qemu.sh', 'build-steps.sh', 'build-vhost-device-vsock.sh', 'debian-packages.sh'].map(
    (name) => `scripts/${name}`,
  ),
  ...['rust-tools.sh', 'vm-packages.sh', 'patches/qemu-virtio-nsm.patch', 'patches/vhost-device-vsock-nitro.patch'].map(
    (name) => `scripts/${name}`,
  ),
];
const EXAMPLES = ['enclave', 'encryptor', 'guard-list', 'host-proxy'].map((name) => `examples/${name}.yaml`);
const VERBATIM = [...RECIPES, ...EXAMPLES, 'CHANGELOG.md'];
/** What package managers and registries look for at the top of a package. */
const ON_TOP: Readonly<Record<string, string>> = { 'README.md': 'deploy/npm/README.md', LICENSE: 'LICENSE' };
/** Where all the rest is. */
const LIBRARY = 'lib';

const READABLE = 0o644;
const EXECUTABLE = 0o755;
const isProgram = (name: string, content: Buffer): boolean =>
  name === join(LIBRARY, COMMAND) || content.subarray(0, 2).equals(Buffer.from('#!'));

function archived(name: string, content: Buffer): ArchivedFile {
  return { name: `package/${name}`, mode: isProgram(name, content) ? EXECUTABLE : READABLE, content };
}

/** Only what package managers and Node read. `private` is not there: that keeps the checkout from being published, not the package. */
function manifestOf({ platform }: Dependencies): object {
  const { name, version, description, license, engines, exports } = packageJson;
  return {
    ...{ name, version, description, license, type: 'module' },
    ...{ engines, os: ['linux'], cpu: ['x64', 'arm64'], libc: ['glibc'] },
    bin: { [name]: join(LIBRARY, COMMAND) },
    exports: JSON.parse(JSON.stringify(exports).replaceAll(BUILT, `./${join(LIBRARY, BUILT)}`)),
    ...{ files: [`${LIBRARY}/`], optionalDependencies: platform },
  };
}

const reachedFiles = (projectFolder: string) => reachableFrom(projectFolder, [MAIN, ...IN_IMAGES]);

/** What the package needs; the bill of materials of a release says the same. */
export function npmDependencies(projectFolder: string): Dependencies {
  return dependenciesOf(projectFolder, reachedFiles(projectFolder).packages);
}

/**
 * @param libraryFolder what `make library` built
 * @throws DeployError PACKAGE_DEPENDENCY, INSTALL_PACKAGE_MISSING, INSTALL_SOURCE_MISSING
 */
export function npmPackage(projectFolder: string, libraryFolder: string): readonly ArchivedFile[] {
  const read = (name: string): Buffer => readFileSync(join(projectFolder, name));
  const reached = reachedFiles(projectFolder);
  const all = new Set(reached.files);
  const ours = reached.files
    .filter((file) => file !== 'package.json' && file !== COMMAND)
    .map((file): readonly [string, Buffer] => {
      if (!file.endsWith('.ts')) return [file, read(file)];
      return [javascriptName(file), Buffer.from(toJavascript(file, read(file).toString(), all))];
    });
  const sources = reachableFrom(projectFolder, IN_IMAGES).files.filter((file) => file.endsWith('.ts'));
  const dependencies = dependenciesOf(projectFolder, reached.packages);
  const bundled = dependencies.folders.flatMap((folder) =>
    packageFiles(join(projectFolder, folder)).map((file) => join(folder, file)),
  );
  const verifier = readdirSync(libraryFolder, { recursive: true, encoding: 'utf8' })
    .filter((file) => /\.(js|d\.ts)$/.test(file))
    .map((file): readonly [string, Buffer] => [join(BUILT, file), readFileSync(join(libraryFolder, file))]);
  const verbatim = [...sources, ...VERBATIM, ...runbookFiles(projectFolder), ...bundled].map(
    (file): readonly [string, Buffer] => [file, read(file)],
  );
  const program: (readonly [string, Buffer])[] = [
    ...ours,
    ...verbatim,
    ...verifier,
    [COMMAND, read('deploy/npm/acra-enclave.sh')],
    ['package.json', Buffer.from(installedManifest(projectFolder))],
  ];
  return [
    archived('package.json', Buffer.from(`${JSON.stringify(manifestOf(dependencies), null, 2)}\n`)),
    ...Object.entries(ON_TOP).map(([name, file]) => archived(name, read(file))),
    ...program.map(([name, content]) => archived(join(LIBRARY, name), content)),
  ];
}
