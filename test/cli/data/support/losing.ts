/** A session that is lost when a test wants it to be. */
import type pg from 'pg';
import type { Connection } from '../../../../cli/data/connection.ts';

/** Ends its own session at one statement: before it, or when it is done and nobody is told. */
export function losing(
  connection: Connection,
  owner: pg.Client,
  isTurn: (sql: string) => 'before' | 'behind' | undefined,
): Connection {
  const end = (pid: unknown) => owner.query('SELECT pg_terminate_backend($1, 5000)', [pid]);
  const around = async <Result>(sql: string, work: () => Promise<Result>): Promise<Result> => {
    const turn = isTurn(sql);
    if (turn === undefined) return work();
    let pid: unknown;
    await connection.each('SELECT pg_backend_pid()', [], ([found]) => {
      pid = found;
    });
    if (turn === 'before') await end(pid);
    const result = await work();
    await end(pid);
    await connection.each('SELECT 1', [], () => undefined);
    return result;
  };
  return {
    end: () => connection.end(),
    each: (sql, values, onRow) => around(sql, () => connection.each(sql, values, onRow)),
    cell: (sql, values, sink) => around(sql, () => connection.cell(sql, values, sink)),
  };
}
