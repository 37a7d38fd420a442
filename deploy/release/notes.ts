/** Release notes: the section of CHANGELOG.md that has the version for a heading. */
import { DeployError } from '../errors.ts';

/** @throws DeployError RELEASE_VERSION when there is none, or it says that the version is unreleased */
export function notesOf(changelog: string, version: string): string {
  const [, ...sections] = changelog.split(/^## /m);
  const section = sections.find((text) => /^[^\s,]+/.exec(text)?.[0] === version);
  const heading = section?.split('\n', 1)[0];
  if (section !== undefined && heading !== undefined && !/unreleased/i.test(heading))
    return `# acra-enclave ${section.trim()}\n`;
  throw new DeployError('RELEASE_VERSION', 'CHANGELOG.md does not tell what is released', {
    found: heading === undefined ? `no section for ${version}` : `## ${heading}`,
    allowed: `## ${version}, and the day`,
  });
}
