/** Every file of the npm package: a list made before anything is written. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import packageJson from '../../package.json' with { type: 'json' };
import { removeInstallScripts } from '../../runtime/npm-manifest.ts';
import type { ArchivedFile } from '../archive/tarball.ts';
import { packageFiles } from '../install/packages.ts';
import { runbookFiles } from '../install/plan.ts';
import { reachableFrom } from '../install/sources.ts';
import { type Dependencies, dependenciesOf } from './dependencies.ts';
import { javascriptName, toJavascript } from './javascript.ts';

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
const VERBATIM = [...RECIPES, ...EXAMPLES, 'CHANGELOG.md', 'LICENSE'];

const READABLE = 0o644;
const EXECUTABLE = 0o755;
const isProgram = (name: string, content: Buffer): boolean =>
  name === COMMAND || content.subarray(0, 2).equals(Buffer.from('#!'));

function archived(name: string, content: Buffer): ArchivedFile {
  return { name: `package/${name}`, mode: isProgram(name, content) ? EXECUTABLE : READABLE, content };
}

/** Only what npm and Node read. `private` is not there: that keeps the checkout from being published, not the package. */
function manifestOf({ bundled, platform }: Dependencies, topLevel: readonly string[]): object {
  const { name, version, description, license, engines, bin, exports } = packageJson;
  return {
    ...{ name, version, description, license, type: 'module' },
    ...{ engines, os: ['linux'], cpu: ['x64', 'arm64'], libc: ['glibc'] },
    ...{ bin, exports, files: topLevel },
    ...{ dependencies: bundled, bundleDependencies: Object.keys(bundled), optionalDependencies: platform },
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
    packageFiles(join(projectFolder, folder)).map((file): readonly [string, Buffer] => {
      const content = read(join(folder, file));
      return [
        join(folder, file),
        file === 'package.json' ? Buffer.from(removeInstallScripts(content.toString())) : content,
      ];
    }),
  );
  const library = readdirSync(libraryFolder, { recursive: true, encoding: 'utf8' })
    .filter((file) => /\.(js|d\.ts)$/.test(file))
    .map((file): readonly [string, Buffer] => [join('build/library', file), readFileSync(join(libraryFolder, file))]);
  const files: (readonly [string, Buffer])[] = [
    ...ours,
    ...[...sources, ...VERBATIM, ...runbookFiles(projectFolder)].map((file): readonly [string, Buffer] => [
      file,
      read(file),
    ]),
    ...library,
    [COMMAND, read('deploy/npm/acra-enclave.sh')],
    ['README.md', read('deploy/npm/README.md')],
  ];
  const topLevel = [...new Set(files.map(([name]) => name.replace(/\/.*/, '/')))].sort();
  const manifest = `${JSON.stringify(manifestOf(dependencies, topLevel), null, 2)}\n`;
  return [...files, ['package.json', Buffer.from(manifest)] as const, ...bundled].map(([name, content]) =>
    archived(name, content),
  );
}
