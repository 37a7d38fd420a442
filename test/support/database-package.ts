/** Which PostgreSQL the databases of tests are: the checkout's own, or the package of another version (`make test-postgres`). */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export const OWN_MAJOR = 18;
export const DATABASE_PACKAGE = process.env['POSTGRES_PACKAGE'];

function majorOf(packageFolder: string): number {
  return Number.parseInt(JSON.parse(readFileSync(join(packageFolder, 'package.json'), 'utf8')).version, 10);
}

export const DATABASE_MAJOR: number = DATABASE_PACKAGE === undefined ? OWN_MAJOR : majorOf(DATABASE_PACKAGE);

/** Protocol 3.2 came with PostgreSQL 18. */
export const NEWEST_MINOR = DATABASE_MAJOR >= 18 ? 2 : 0;
