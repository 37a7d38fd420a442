/** What `make install` puts where: a list of files, links and configuration, made before anything is touched. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageFiles, packageFolders } from './packages.ts';
import { reachableFrom } from './sources.ts';

/** Where things go at run time; all absolute. DESTDIR is not part of it. */
export interface Layout {
  readonly prefix: string;
  readonly sysconfdir: string;
}

export interface PlannedFile {
  readonly kind: 'file';
  readonly target: string;
  readonly mode: number;
  /** A file to copy, or the text itself. */
  readonly content: { readonly copyOf: string } | { readonly text: string | Buffer };
}
export interface PlannedLink {
  readonly kind: 'link';
  readonly target: string;
  readonly to: string;
}
/** Made once and then the operator's: never overwritten, and removed only if unchanged. */
export interface PlannedConfig {
  readonly kind: 'config';
  readonly target: string;
  readonly text: string;
}
export type PlannedEntry = PlannedFile | PlannedLink | PlannedConfig;

const MAIN = 'cli/parent.ts';
const STATE_FOLDER = '/var/lib/acra-enclave';
const READABLE = 0o644;
const EXECUTABLE = 0o755;

export const libraryFolder = ({ prefix }: Layout) => join(prefix, 'lib/acra-enclave');

/** Of the pinned Node's package only these are needed; its headers and manual are not. */
const NODE_FILES = ['bin/node', 'LICENSE', 'package.json'];
const nodePackage = `node-linux-${process.arch}`;

/** Our package.json without what only building and testing need. */
export function installedManifest(projectFolder: string): string {
  const { name, version, license } = JSON.parse(readFileSync(join(projectFolder, 'package.json'), 'utf8'));
  return `${JSON.stringify({ name, version, license, private: true, type: 'module' }, null, 2)}\n`;
}

const RUNBOOKS = 'docs/runbooks';

/** What the status page links to, relative to the project. */
export function runbookFiles(projectFolder: string): readonly string[] {
  const names = readdirSync(join(projectFolder, RUNBOOKS)).filter((name) => name.endsWith('.md'));
  return names.map((name) => join(RUNBOOKS, name));
}

function programEntries(projectFolder: string, library: string): PlannedEntry[] {
  const copy = (file: string, mode = READABLE): PlannedFile => ({
    kind: 'file',
    target: join(library, file),
    mode,
    content: { copyOf: join(projectFolder, file) },
  });
  const { files, packages } = reachableFrom(projectFolder, [MAIN]);
  const modules = packageFolders(projectFolder, packages).flatMap((folder) =>
    packageFiles(join(projectFolder, folder)).map((file) => copy(join(folder, file))),
  );
  const node = NODE_FILES.map((file) =>
    copy(join('node_modules', nodePackage, file), file === 'bin/node' ? EXECUTABLE : READABLE),
  );
  return [
    ...files.filter((file) => file !== 'package.json').map((file) => copy(file)),
    ...runbookFiles(projectFolder).map((file) => copy(file)),
    copy('LICENSE'),
    ...modules,
    ...node,
  ];
}

/** Files of deploy/ that name places of the installation. */
function templateEntries(projectFolder: string, layout: Layout): PlannedEntry[] {
  const library = libraryFolder(layout);
  const places: Readonly<Record<string, string>> = {
    LIBDIR: library,
    SYSCONFDIR: layout.sysconfdir,
    STATEDIR: STATE_FOLDER,
    NODE: `node_modules/${nodePackage}/bin/node`,
    MAIN,
  };
  const filled = (file: string, target: string, mode = READABLE): PlannedFile => {
    const text = readFileSync(join(projectFolder, 'deploy', file), 'utf8');
    return {
      kind: 'file',
      target,
      mode,
      content: { text: text.replace(/@([A-Z]+)@/g, (whole, name: string) => places[name] ?? whole) },
    };
  };
  const under = (...parts: string[]) => join(layout.prefix, ...parts);
  const examples = under('share/acra-enclave/examples');
  return [
    filled('acra-enclave.sh', join(library, 'bin/acra-enclave'), EXECUTABLE),
    filled('systemd/acra-enclave.service', under('lib/systemd/system/acra-enclave.service')),
    filled('systemd/sysusers.conf', under('lib/sysusers.d/acra-enclave.conf')),
    filled('systemd/tmpfiles.conf', under('lib/tmpfiles.d/acra-enclave.conf')),
    filled('systemd/allocator.yaml', join(examples, 'allocator.yaml')),
    filled('systemd/logrotate.conf', join(examples, 'logrotate.conf')),
    filled('systemd/restart-back-off.conf', join(examples, 'restart-back-off.conf')),
  ];
}

/** @throws Error when something that is needed is not there. */
export function planInstallation(projectFolder: string, layout: Layout): readonly PlannedEntry[] {
  const library = libraryFolder(layout);
  return [
    ...programEntries(projectFolder, library),
    ...templateEntries(projectFolder, layout),
    {
      kind: 'file',
      target: join(library, 'package.json'),
      mode: READABLE,
      content: { text: installedManifest(projectFolder) },
    },
    { kind: 'link', target: join(layout.prefix, 'bin/acra-enclave'), to: '../lib/acra-enclave/bin/acra-enclave' },
    {
      kind: 'config',
      target: join(layout.sysconfdir, 'acra-enclave/host-proxy.yaml'),
      text: readFileSync(join(projectFolder, 'examples/host-proxy.yaml'), 'utf8'),
    },
  ];
}
