/**
 * What the Debian package puts where: the plan of `make install` for /usr and /etc, with what Debian wants of it. Texts of licences are
 * in one file, and a configuration file that was changed is dpkg's affair.
 *
 * Specification: Debian Policy 4.6, chapters 10 and 12.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { PlannedEntry, PlannedFile } from '../install/plan.ts';
import { planInstallation } from '../install/plan.ts';
import { copyrightFile } from './copyright.ts';
import type { Release } from './release.ts';

const LAYOUT = { prefix: '/usr', sysconfdir: '/etc' };
const LIBRARY = '/usr/lib/acra-enclave';
const DOCUMENTS = '/usr/share/doc/acra-enclave';
const LICENCE = /\/(licen[cs]e|notice|copying)[^/]*$/i;
const READABLE = 0o644;

const gzipped = (text: string): Buffer => gzipSync(text, { level: 9 });

function file(target: string, content: Buffer | string): PlannedFile {
  return { kind: 'file', target, mode: READABLE, content: { text: content } };
}

/** Programs of npm packages, for a Node of the system: nothing here starts them. */
function isForeignProgram(entry: PlannedEntry): boolean {
  if (entry.kind !== 'file' || !('copyOf' in entry.content) || !/\.[cm]?js$/.test(entry.target)) return false;
  return readFileSync(entry.content.copyOf, 'latin1').startsWith('#!');
}

function isWanted(entry: PlannedEntry): boolean {
  return !(entry.kind === 'file' && LICENCE.test(entry.target)) && !isForeignProgram(entry);
}

function debianChangelog({ debianVersion, version, date, maintainer }: Release): string {
  return `acra-enclave (${debianVersion}) stable; urgency=medium\n\n  * Release ${version}. What changed is told by\n    /usr/share/doc/acra-enclave/CHANGELOG.md.gz.\n\n -- ${maintainer}  ${date.toUTCString().replace('GMT', '+0000')}\n`;
}

/** @throws DeployError INSTALL_PACKAGE_MISSING, INSTALL_SOURCE_MISSING */
export function debianContents(projectFolder: string, release: Release): readonly PlannedEntry[] {
  const read = (name: string): string => readFileSync(join(projectFolder, name), 'utf8');
  const plan = planInstallation(projectFolder, LAYOUT);
  const manual = read('deploy/debian/acra-enclave.1')
    .replace('@DATE@', release.date.toISOString().slice(0, 10))
    .replace('@VERSION@', release.version);
  return [
    ...plan.filter(isWanted),
    { kind: 'config', target: '/etc/logrotate.d/acra-enclave', text: read('deploy/systemd/logrotate.conf') },
    file('/usr/share/man/man1/acra-enclave.1.gz', gzipped(manual)),
    file('/usr/share/lintian/overrides/acra-enclave', read('deploy/debian/lintian-overrides')),
    file(`${DOCUMENTS}/changelog.gz`, gzipped(debianChangelog(release))),
    file(`${DOCUMENTS}/CHANGELOG.md.gz`, gzipped(read('CHANGELOG.md'))),
    file(`${DOCUMENTS}/copyright`, copyrightFile(plan, LIBRARY)),
  ];
}
