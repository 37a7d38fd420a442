/** Clients in Python; psycopg with each libpq that its wheels have brought. */
import { join } from 'node:path';
import t from 'tap';
import { installed, lackOf } from './support/installed.ts';
import { testClient } from './support/test-client.ts';
import { startTarget } from './target.ts';

/** With the folder of packages and the program of each. */
const CLIENTS = [
  ['psycopg 3 on libpq 15', 'psycopg-libpq15', 'psycopg3.py'],
  ['psycopg 3 on libpq 16', 'psycopg-libpq16', 'psycopg3.py'],
  ['psycopg 3 on libpq 17', 'psycopg-libpq17', 'psycopg3.py'],
  ['psycopg 3', 'psycopg-libpq18', 'psycopg3.py'],
  ['psycopg2', 'psycopg2', 'psycopg2_.py'],
  ['asyncpg', 'asyncpg', 'asyncpg_.py'],
  ['pg8000', 'pg8000', 'pg8000_.py'],
  ['SQLAlchemy', 'sqlalchemy', 'sqlalchemy_.py'],
  ['Django', 'django', 'django_.py'],
] as const;

const target = await startTarget(t);
for (const [client, packages, program] of CLIENTS) {
  const command = installed('python/program');
  const args = [join(import.meta.dirname, 'python', program)];
  const env = { PYTHONPATH: installed(`python/${packages}`), PYTHONDONTWRITEBYTECODE: '1' };
  await testClient(t, target, { client, command, args, env }, lackOf('python', `python/${packages}/.made`));
}
