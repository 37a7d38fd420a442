/**
 * What a container image says of its parts, for the bill of materials: the distribution, and the packages that it has installed, as far
 * as the files of dpkg and apk tell. For people and scanners: nothing is decided by it.
 * Specification: os-release(5); Debian policy 5 (status file); apk-tools, installed database; package-url for `deb` and `apk`.
 */
import type { BomComponent } from '../bom/cyclonedx.ts';
import type { ImageFiles } from './programs/file-system.ts';
import { CONTAINER_COMPONENT } from './ramdisk-content.ts';
import type { ContainerImage } from './source/image.ts';

const DPKG_FILES = ['/var/lib/dpkg/status'];
/** Where distroless images keep one file a package. */
const DPKG_FOLDER = '/var/lib/dpkg/status.d';
const APK_FILE = '/lib/apk/db/installed';

interface Package {
  readonly name: string;
  readonly version: string;
  readonly architecture: string;
}

/** The image itself, named by its configuration so that it is the same in whatever form it came, and its packages. */
export async function containerComponents(image: ContainerImage, files: ImageFiles): Promise<readonly BomComponent[]> {
  const release = parseRelease((await files.read('/etc/os-release')) || (await files.read('/usr/lib/os-release')));
  const own: BomComponent = {
    key: CONTAINER_COMPONENT,
    type: 'application',
    name: 'container image',
    version: undefined,
    properties: {
      config: image.configDigest,
      layers: image.layers.map(({ diffId }) => diffId).join(' '),
      platform: image.platform,
      ...(release['PRETTY_NAME'] === undefined ? {} : { distribution: release['PRETTY_NAME'] }),
    },
  };
  const distribution = release['ID'] ?? 'unknown';
  const packages = [
    ...(await dpkgPackages(files)).map((each) => component('deb', distribution, each)),
    ...parseApk(await files.read(APK_FILE)).map((each) => component('apk', distribution, each)),
  ];
  return [own, ...new Map(packages.map((each) => [each.key, each])).values()];
}

function component(type: 'deb' | 'apk', distribution: string, { name, version, architecture }: Package): BomComponent {
  const purl = `pkg:${type}/${distribution}/${name}@${encodeURIComponent(version)}?arch=${architecture}`;
  return { key: purl, type: 'library', name, version, purl };
}

function parseRelease(text: string): Readonly<Record<string, string>> {
  const lines = text.split('\n').flatMap((line): [string, string][] => {
    const [, name, value] = /^([A-Z_]+)=(?:"([^"]*)"|'[^']*'|.*)$/.exec(line) ?? [];
    return name === undefined ? [] : [[name, value ?? line.slice(name.length + 1)]];
  });
  return Object.fromEntries(lines);
}

async function dpkgPackages(files: ImageFiles): Promise<readonly Package[]> {
  const inFolder = (await files.list(DPKG_FOLDER)).filter((name) => !name.includes('.'));
  const paths = [...DPKG_FILES, ...inFolder.map((name) => `${DPKG_FOLDER}/${name}`)];
  const packages: Package[] = [];
  for (const path of paths) packages.push(...parseDpkg(await files.read(path)));
  return packages;
}

function parseDpkg(text: string): readonly Package[] {
  return text.split(/\n\n+/).flatMap((paragraph) => {
    const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(paragraph)?.[1];
    const [name, version, status] = [field('Package'), field('Version'), field('Status')];
    if (name === undefined || version === undefined || (status !== undefined && !status.endsWith(' installed')))
      return [];
    return [{ name, version, architecture: field('Architecture') ?? 'all' }];
  });
}

function parseApk(text: string): readonly Package[] {
  return text.split(/\n\n+/).flatMap((paragraph) => {
    const field = (letter: string) => new RegExp(`^${letter}:(.*)$`, 'm').exec(paragraph)?.[1];
    const [name, version] = [field('P'), field('V')];
    return name === undefined || version === undefined ? [] : [{ name, version, architecture: field('A') ?? 'noarch' }];
  });
}
