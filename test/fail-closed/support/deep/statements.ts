/** Statements by chance of nearly all that SQL has, over two protected tables, one that is listed and a view that is not. */
import { Draw } from './draw.ts';
import { select } from './queries.ts';
import { write } from './writes.ts';

export interface DeepStatement {
  readonly sql: string;
  readonly values: readonly string[];
  readonly isWrite: boolean;
}

export function deepStatement(seed: string): DeepStatement {
  const draw = new Draw(seed);
  const isWrite = draw.is(35);
  const sql = isWrite ? write(draw, 2) : select(draw, 3).sql;
  return { sql, values: draw.values, isWrite };
}
