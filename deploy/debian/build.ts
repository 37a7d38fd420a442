/**
 * The Debian package, made by dpkg-deb: its bytes follow from the contents, the release and SOURCE_DATE_EPOCH.
 *
 * Specification: deb(5), deb-control(5), reproducible-builds.org/specs/source-date-epoch.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { lstatSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { DeployError } from '../errors.ts';
import { makeFolder, placeFile, placeLink, placeText } from '../install/place.ts';
import type { PlannedEntry } from '../install/plan.ts';
import { debianContents } from './contents.ts';
import type { Release } from './release.ts';

const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' };
const SCRIPTS = ['postinst', 'prerm', 'postrm'];
const EXECUTABLE = 0o755;
const READABLE = 0o644;
const KIB = 1024;

/** What the pinned Node is linked with, and what the maintainer scripts and the unit call (`kill`). */
const DEPENDS = [
  'libatomic1',
  'libc6 (>= 2.28)',
  'libgcc-s1 (>= 3.4)',
  'libstdc++6 (>= 12)',
  'init-system-helpers (>= 1.54~)',
  'procps',
  'systemd | systemd-standalone-sysusers | systemd-sysusers',
];

function control({ debianVersion, maintainer }: Release, architecture: string, bytes: number): string {
  return `Package: acra-enclave
Version: ${debianVersion}
Architecture: ${architecture}
Maintainer: ${maintainer}
Installed-Size: ${Math.ceil(bytes / KIB)}
Depends: ${DEPENDS.join(', ')}
Recommends: logrotate
Section: database
Priority: optional
Description: PostgreSQL encryption proxy in an AWS Nitro Enclave
 Runs acra-server, the PostgreSQL encryption proxy, inside an AWS Nitro
 Enclave: the master key and the plaintext of protected columns exist in
 there only, and the operator of the parent instance cannot see them.
 .
 This package is for the parent instance: the daemon that forwards the
 traffic of the enclave, starts it and keeps it running, and the commands
 that examine it. It brings along the Node.js release it was tested with.
`;
}

function place(root: string, plan: readonly PlannedEntry[]): void {
  for (const entry of plan) {
    const target = join(root, entry.target);
    makeFolder(dirname(target));
    if (entry.kind === 'file') placeFile(target, entry);
    else if (entry.kind === 'link') placeLink(target, entry);
    else placeText(target, entry.text, READABLE);
  }
}

function placeControl(root: string, projectFolder: string, plan: readonly PlannedEntry[], release: Release): void {
  const folder = join(root, 'DEBIAN');
  makeFolder(folder);
  const files = plan
    .filter(({ kind }) => kind === 'file')
    .map(({ target }) => target.slice(1))
    .sort();
  const sums = files.map((name) => {
    const sum = createHash('md5')
      .update(readFileSync(join(root, name)))
      .digest('hex');
    return `${sum}  ${name}\n`;
  });
  const configs = plan.filter(({ kind }) => kind === 'config').map(({ target }) => `${target}\n`);
  const bytes = plan.reduce((sum, { target }) => sum + lstatSync(join(root, target)).size, 0);
  placeText(join(folder, 'control'), control(release, architectureOf(process.arch), bytes), READABLE);
  placeText(join(folder, 'conffiles'), configs.join(''), READABLE);
  placeText(join(folder, 'md5sums'), sums.join(''), READABLE);
  for (const name of SCRIPTS)
    placeText(join(folder, name), readFileSync(join(projectFolder, 'deploy/debian/scripts', name), 'utf8'), EXECUTABLE);
}

function architectureOf(processor: string): string {
  const architecture = ARCHITECTURES[processor];
  if (architecture !== undefined) return architecture;
  throw new DeployError('DEBIAN_BUILD', 'no Debian package for this processor', {
    found: processor,
    allowed: 'x64, arm64',
  });
}

/** One thread: with more, the compressor cuts its blocks by the number of processors. */
function runDpkg(root: string, archive: string, date: Date): void {
  const args = ['--root-owner-group', '-Zxz', '-z3', '--threads-max=1', '--build', root, archive];
  const env = { ...process.env, SOURCE_DATE_EPOCH: String(date.getTime() / 1000), LC_ALL: 'C.UTF-8' };
  const { status, stderr, error } = spawnSync('dpkg-deb', args, { env, encoding: 'utf8' });
  if (status === 0) return;
  throw new DeployError('DEBIAN_BUILD', 'dpkg-deb made no package', { found: stderr || 'nothing', cause: error });
}

/**
 * @param outputFolder must exist
 * @returns the package's file name there
 * @throws DeployError DEBIAN_BUILD, INSTALL_PACKAGE_MISSING, INSTALL_SOURCE_MISSING
 */
export function buildDebianPackage(projectFolder: string, outputFolder: string, release: Release): string {
  const name = `acra-enclave_${release.debianVersion}_${architectureOf(process.arch)}.deb`;
  const root = mkdtempSync(join(tmpdir(), 'acra-enclave-deb-'));
  try {
    const plan = debianContents(projectFolder, release);
    const staged = join(root, 'acra-enclave');
    place(staged, plan);
    placeControl(staged, projectFolder, plan, release);
    runDpkg(staged, join(outputFolder, name), release.date);
    return name;
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}
