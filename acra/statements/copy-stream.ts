/** What COPY carries between the client and the database, as it was judged. Plain data: it may come from another thread. */
import type { CopyStmt } from 'libpg-query';
import type { CopyOptions } from '../../postgres/copy/options.ts';
import type { Result } from './outputs.ts';

/** Data with cells that are protected, or might be if they were in another place. */
export interface ProtectedCopy {
  readonly options: CopyOptions;
  /** By the place of a cell in its row. */
  readonly outputs: readonly Result[];
  /** Of the columns, by place; none where a query yields them. */
  readonly names: readonly string[];
  /** A row whose values their types cannot be read from is left out (ON_ERROR ignore). */
  readonly skipsBadRows: boolean;
}

/** One statement's data: COPY … FROM STDIN, or TO STDOUT. */
export interface CopyStream {
  /** Which statement of the text, from 0. */
  readonly at: number;
  readonly direction: 'in' | 'out';
  /** Undefined: nothing of it is protected. */
  readonly content: ProtectedCopy | undefined;
}

/** @returns undefined where the client is not asked: a file of the server's, or a program */
export function streamOf(
  { is_from: isFrom, filename }: CopyStmt,
  at: number,
  content: ProtectedCopy | undefined,
): CopyStream | undefined {
  return filename ? undefined : { at, direction: isFrom ? 'in' : 'out', content };
}
