/**
 * PostgreSQL's own parser and scanner (libpg-query, WebAssembly). What a statement can do to an instance: overflow the
 * stack or abort in the middle of an allocation, and keep the memory that it needed (a WebAssembly memory never shrinks). An
 * instance that threw anything but a syntax error is therefore not used again, and belongs to one thread.
 */
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import type { Node, RawStmt, ScanToken } from 'libpg-query';
import { Refusal } from './refusal.ts';

type Library = typeof import('libpg-query');

const require = createRequire(import.meta.url);
const FINGERPRINT = /^[0-9a-f]{16}$/;
/** What bison says when its own stack is full: nesting, not a mistake. */
const PARSER_STACK_FULL = /^memory exhausted/;

/** The instance threw something else than a syntax error, and may be broken. */
export class BrokenParserError extends Error {}

export interface Parser {
  /** @throws Refusal 42601 (without what stands there: the text may be a value), 54001 @throws BrokenParserError */
  parse(sql: string): RawStmt[];
  /** Tokens without comments, by the byte at which they start. @throws Refusal 42601 @throws BrokenParserError */
  scan(sql: string): ScanToken[];
  /** The same for statements that differ in constants, white space and the like only. @throws Refusal 42601 @throws BrokenParserError */
  fingerprint(sql: string): string | undefined;
}

/** A statement's text with what the parser made of it. */
export interface ParsedText {
  readonly sql: string;
  readonly statements: readonly Node[];
  /** At which byte each begins, white space and comments before it included. */
  readonly starts: readonly number[];
  /** Scanned when first asked for: most statements touch nothing protected, and scanning costs twice what parsing does. */
  readonly tokens: () => readonly ScanToken[];
}

function translated(error: unknown, { SqlError }: Library): Error {
  if (!(error instanceof SqlError)) return new BrokenParserError('the parser broke', { cause: error });
  if (PARSER_STACK_FULL.test(error.message)) return tooComplex();
  return new Refusal('syntax', `syntax error at character ${(error.sqlDetails?.cursorPosition ?? 0) + 1}`);
}

/** For what PostgreSQL reads, perhaps, and we do not. */
export function tooComplex(): Refusal {
  return new Refusal('too-complex', 'the statement is too complex');
}

/** A fresh instance with a memory of its own; takes about 15 ms. */
export async function loadParser(): Promise<Parser> {
  const main = require.resolve('libpg-query');
  const ownModules = Object.keys(require.cache).filter((path) => path.startsWith(dirname(main)));
  for (const path of ownModules) delete require.cache[path];
  const library: Library = require(main);
  await library.loadModule();
  const run = <Result>(use: () => Result): Result => {
    try {
      return use();
    } catch (error) {
      throw translated(error, library);
    }
  };
  return {
    parse: (sql) => (sql === '' ? [] : run(() => library.parseSync(sql).stmts ?? []).filter(({ stmt }) => stmt)),
    scan: (sql) => run(() => library.scanSync(sql).tokens).filter(({ tokenName }) => !tokenName.endsWith('COMMENT')),
    fingerprint: (sql) => {
      // What it cannot read it does not always throw, but may give its error instead, with a part of the text.
      run(() => library.parseSync(sql));
      const found = run(() => library.fingerprintSync(sql));
      return FINGERPRINT.test(found) ? found : undefined;
    },
  };
}

/** @throws Refusal 42601, 54001 @throws BrokenParserError; `tokens` too */
export function parseText(parser: Parser, sql: string): ParsedText {
  let tokens: ScanToken[] | undefined;
  const all = parser.parse(sql);
  return {
    sql,
    statements: all.flatMap(({ stmt }) => stmt ?? []),
    starts: all.map(({ stmt_location: start = 0 }) => start),
    tokens: () => {
      tokens ??= parser.scan(sql);
      return tokens;
    },
  };
}
