/**
 * psql of PyPI's wheels. They have it without TLS; the libpq of a psycopg wheel, which has it, is put before theirs. libpq keeps
 * its interface (soname 5), so a psql runs on a later one as well.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { installed, lackOf } from './installed.ts';

export interface WheelPsql {
  readonly program: string;
  /** Of libpq, for LD_PRELOAD. */
  readonly library: string;
  /** Where that comes from. */
  readonly origin: string;
  /** Why it is not there. */
  readonly lack: string | undefined;
}

/** @returns the release of psycopg-binary, as the requirements pin it */
function psycopgRelease(libpq: number): string | undefined {
  const file = join(import.meta.dirname, `../python/requirements/psycopg-libpq${libpq}.txt`);
  return /^psycopg-binary==(.*)$/m.exec(readFileSync(file, 'utf8'))?.[1];
}

/** @param major versions: there are psql 16 and 18, and libpq 15 to 18 */
export function psqlOfWheels(major: { readonly psql: number; readonly libpq: number }): WheelPsql {
  const { psql, libpq } = major;
  return {
    program: installed(`psql/${psql}/*/pginstall/bin/psql`),
    library: installed(`python/psycopg-libpq${libpq}/psycopg_binary.libs/libpq-*`),
    origin: `psycopg-binary ${psycopgRelease(libpq)}`,
    lack: lackOf('psql', `psql/${psql}/.made`) ?? lackOf('python', `python/psycopg-libpq${libpq}/.made`),
  };
}
