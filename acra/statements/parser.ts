/**
 * PostgreSQL's own parser and scanner (libpg-query, WebAssembly). A statement that is nested too deeply overflows the
 * stack and may leave the instance broken, so that it is thrown away and loaded anew; meanwhile nothing passes.
 */
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import type { Node, ScanToken } from 'libpg-query';
import { Refusal } from './refusal.ts';

type Library = typeof import('libpg-query');

const require = createRequire(import.meta.url);
let library: Library | undefined;

/** A fresh instance; takes about 30 ms. */
export async function loadParser(): Promise<void> {
  const main = require.resolve('libpg-query');
  const ownModules = Object.keys(require.cache).filter((path) => path.startsWith(dirname(main)));
  for (const path of ownModules) delete require.cache[path];
  const fresh: Library = require(main);
  await fresh.loadModule();
  library = fresh;
}

/** The message says where the error is, not what stands there: it goes to the database, in the statement's place. */
function refusalOf(error: unknown, { SqlError }: Library): Refusal {
  if (error instanceof SqlError) {
    return new Refusal(`syntax error at character ${(error.sqlDetails?.cursorPosition ?? 0) + 1}`, '42601');
  }
  library = undefined;
  void loadParser();
  return new Refusal('the statement is too complex', '54001');
}

function run<Result>(use: (library: Library) => Result): Result {
  if (!library) throw new Refusal('the parser is being restarted', '57P03');
  try {
    return use(library);
  } catch (error) {
    throw refusalOf(error, library);
  }
}

/** @throws Refusal 42601, 54001, 57P03 */
export function parseSql(sql: string): Node[] {
  if (sql === '') return [];
  return run(({ parseSync }) => parseSync(sql).stmts ?? []).flatMap(({ stmt }) => stmt ?? []);
}

/** Tokens without comments, by the byte at which they start. @throws Refusal 54001, 57P03 */
export function scanSql(sql: string): ScanToken[] {
  return run(({ scanSync }) => scanSync(sql).tokens).filter(({ tokenName }) => !tokenName.endsWith('COMMENT'));
}
