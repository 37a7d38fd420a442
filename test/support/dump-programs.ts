/** pg_dump, pg_restore and psql for a database of some version: no pg_dump serves one that is newer than itself. */
import { execFileSync } from 'node:child_process';
import { dirname } from 'node:path';
import { psqlOfWheels } from '../clients/support/psql-wheels.ts';

interface DumpPrograms {
  readonly folder: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly version: string;
}

function onPath(major: number): DumpPrograms | undefined {
  try {
    const version = execFileSync('pg_dump', ['--version'], { encoding: 'utf8' }).trim();
    if (Number(/\d+/.exec(version)?.[0]) < major) return undefined;
    return { folder: '', environment: { PATH: process.env['PATH'] ?? '' }, version };
  } catch {
    return undefined;
  }
}

/** @returns why there are none; else those of the system, or of a wheel (scripts/install-clients.sh) */
export function dumpPrograms(major: number): DumpPrograms | string {
  const ofSystem = onPath(major);
  if (ofSystem) return ofSystem;
  const { program, library, lack } = psqlOfWheels({ psql: 18, libpq: 18 });
  if (lack !== undefined) return `there is no pg_dump for PostgreSQL ${major} on PATH, and no psql of a wheel: ${lack}`;
  return { folder: dirname(program), environment: { LD_PRELOAD: library }, version: 'pg_dump of a wheel' };
}
