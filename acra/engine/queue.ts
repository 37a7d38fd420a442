/**
 * What waits for acra-server, bounded in bytes. A batch is what one round takes: any number of values to store or search, up to a
 * bound, or cells of one table as one row. So a busy engine asks for more at once, and an idle one answers at once.
 */
import type { EncryptedColumn } from '../encryptor-config/schema.ts';
import { EngineError } from '../errors.ts';
import { MAX_ROW_CELLS } from './statements.ts';
import { type Answer, bytesOf, type Task } from './task.ts';

export interface Waiting {
  readonly task: Task;
  /** By the engine's monotonic clock. */
  readonly sinceMs: number;
  /** How often acra-server was asked and was lost over it. */
  losses: number;
  /** It failed in company: what becomes of it next touches no other. */
  isAlone: boolean;
  readonly settle: (answer: Answer) => void;
  readonly fail: (error: unknown) => void;
}

export interface QueueLimits {
  /** Of all that waits or is being asked. */
  readonly maxHeldBytes: number;
  /** Of one round; a single larger task goes alone. */
  readonly maxBatchBytes: number;
  readonly maxBatchTasks: number;
}

/** acra-server asks Redis up to four times about each token, one after the other: a round of many would outlast its deadline. */
const TOKEN_WEIGHT = 4;

const weightOf = ({ token }: EncryptedColumn): number => (token ? TOKEN_WEIGHT : 1);

/** Each task holds at least this much of our own memory. */
const TASK_BYTES = 256;

export class EngineQueue {
  readonly #limits: QueueLimits;
  #waiting: Waiting[] = [];
  #heldBytes = 0;

  constructor(limits: QueueLimits) {
    this.#limits = limits;
  }

  get isEmpty(): boolean {
    return this.#waiting.length === 0;
  }

  /** @throws EngineError ENGINE_BUSY */
  add(task: Task, sinceMs: number): Promise<Answer> {
    const bytes = TASK_BYTES + bytesOf(task);
    const { maxHeldBytes } = this.#limits;
    if (this.#heldBytes + bytes > maxHeldBytes) {
      const found = `${this.#heldBytes + bytes} bytes`;
      throw new EngineError('ENGINE_BUSY', 'too much waits for acra-server', {
        found,
        allowed: `${maxHeldBytes} bytes`,
      });
    }
    this.#heldBytes += bytes;
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    this.#waiting.push({ task, sinceMs, losses: 0, isAlone: false, settle: resolve, fail: reject });
    return promise.finally(() => {
      this.#heldBytes -= bytes;
    });
  }

  /** What a lost session was asked, in front of everything else. */
  putBack(waiting: readonly Waiting[]): void {
    this.#waiting = [...waiting, ...this.#waiting];
  }

  /** The oldest, and what may go with it. */
  take(): readonly Waiting[] {
    const [first, ...others] = this.#waiting;
    if (!first) return [];
    if (first.isAlone) {
      this.#waiting = others;
      return [first];
    }
    const batch = new Batch(first, this.#limits);
    this.#waiting = others.filter((each) => !batch.takes(each));
    return batch.waiting;
  }

  /** Gives up what has waited since then or longer. */
  failSince(sinceMs: number, error: unknown): void {
    const isOver = (waiting: Waiting) => waiting.sinceMs <= sinceMs;
    for (const { fail } of this.#waiting.filter(isOver)) fail(error);
    this.#waiting = this.#waiting.filter((waiting) => !isOver(waiting));
  }
}

/** What goes in one round, in the order in which it came. */
class Batch {
  readonly waiting: Waiting[];
  readonly #limits: QueueLimits;
  readonly #first: Task;
  #bytes: number;
  #cells: number;
  #weight: number;

  constructor(first: Waiting, limits: QueueLimits) {
    this.waiting = [first];
    this.#limits = limits;
    this.#first = first.task;
    this.#bytes = bytesOf(first.task);
    this.#cells = cellsOf(first.task);
    this.#weight = weightOf(first.task.of);
  }

  /** @returns false for what does not fit, and waits on */
  takes(each: Waiting): boolean {
    const { maxBatchBytes, maxBatchTasks } = this.#limits;
    const [bytes, cells] = [this.#bytes + bytesOf(each.task), this.#cells + cellsOf(each.task)];
    const weight = this.#weight + weightOf(each.task.of);
    const isTooMuch = weight > maxBatchTasks || bytes > maxBatchBytes || cells > MAX_ROW_CELLS;
    if (each.isAlone || isTooMuch || !goTogether(this.#first, each.task)) return false;
    [this.#bytes, this.#cells, this.#weight] = [bytes, cells, weight];
    this.waiting.push(each);
    return true;
  }
}

function cellsOf(task: Task): number {
  return task.kind === 'reveal' ? task.cells.length * weightOf(task.of) : 0;
}

/** Values to protect in one round, cells of one table in one row. */
function goTogether(a: Task, b: Task): boolean {
  if (a.kind !== 'reveal' || b.kind !== 'reveal') return a.kind !== 'reveal' && b.kind !== 'reveal';
  return a.of.table === b.of.table;
}

/** Cells in rows: none longer than a row may be, none heavier than a round. */
export function inRows(
  of: EncryptedColumn,
  cells: readonly Buffer[],
  maxBytes: number,
): readonly (readonly Buffer[])[] {
  const maxCells = MAX_ROW_CELLS / weightOf(of);
  const rows: Buffer[][] = [];
  let bytes = 0;
  for (const cell of cells) {
    const row = rows.at(-1);
    if (row && row.length < maxCells && bytes + cell.length <= maxBytes) {
      row.push(cell);
      bytes += cell.length;
    } else {
      rows.push([cell]);
      bytes = cell.length;
    }
  }
  return rows;
}

export function revealTask(of: EncryptedColumn, cells: readonly Buffer[]): Task {
  return { kind: 'reveal', of, cells };
}
