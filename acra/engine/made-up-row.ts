/**
 * One row in which acra-server is asked about the cells of several tasks at once, of one table. It parses the statement again for every
 * row, so that a cell of many in a row costs it a sixth of one alone (docs/performance.md).
 */
import type { EncryptedColumn } from '../encryptor-config/schema.ts';
import { EngineError } from '../errors.ts';
import { holdsContainer } from './check.ts';
import { type RowColumn, revealStatement, rowSizeFor } from './statements.ts';
import type { Answer, RevealTask } from './task.ts';

/** Tasks by column, in an order that depends on the columns alone: so few statements serve all rows. */
function byColumn(tasks: readonly RevealTask[]): (readonly [EncryptedColumn, readonly RevealTask[]])[] {
  const groups = Map.groupBy(tasks, ({ of }) => of.name);
  return [...groups]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([, same]) => (same[0] ? [[same[0].of, same]] : []));
}

export class MadeUpRow {
  readonly statement: string;
  /** What the database's end answers. */
  readonly cells: readonly (Buffer | null)[];
  readonly #tasks: readonly RevealTask[];
  /** Where the cells of a task begin. */
  readonly #starts = new Map<RevealTask, number>();
  /**
   * A value with a search hash and a container behind it comes back without the hash, which acra-server then puts before that container's content,
   * and both into the next cell of the session, whose ever it is (acra-server contract 11): the session must end.
   */
  isTainted = false;

  constructor(tasks: readonly RevealTask[]) {
    this.#tasks = tasks;
    const cells: (Buffer | null)[] = [];
    const columns: RowColumn[] = [];
    for (const [column, same] of byColumn(tasks)) {
      const start = cells.length;
      for (const task of same) {
        this.#starts.set(task, cells.length);
        cells.push(...task.cells);
      }
      const size = rowSizeFor(cells.length - start);
      cells.push(...Array<null>(start + size - cells.length).fill(null));
      columns.push({ column, size });
    }
    this.cells = cells;
    this.statement = revealStatement(columns);
  }

  /** @param revealed the row as acra-server sent it on. @returns refusals where one cell may have changed another @throws EngineError ENGINE_LOST for one of another shape */
  answers(revealed: readonly (Buffer | null)[] | undefined): readonly Answer[] {
    const isSameShape =
      revealed?.length === this.cells.length &&
      revealed.every((cell, at) => (cell === null) === (this.cells[at] === null));
    if (!isSameShape) throw new EngineError('ENGINE_LOST', 'acra-server answered another row than it was asked about');
    this.isTainted = revealed.some((value, at) => value !== null && isInside(value, this.cells[at]));
    const isAlone = this.cells.filter((cell) => cell !== null).length === 1;
    if (this.isTainted && !isAlone) return this.#tasks.map(() => ({ kind: 'refused' }));
    return this.#tasks.map((task) => {
      const start = this.#starts.get(task) ?? 0;
      const values = revealed.slice(start, start + task.cells.length).filter((cell) => cell !== null);
      return { kind: 'values', values };
    });
  }
}

/** A container that was inside of another one. */
const isInside = (value: Buffer, cell: Buffer | null | undefined) => !cell?.equals(value) && holdsContainer(value);
