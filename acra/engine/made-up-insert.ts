/**
 * Values to store in one column, as the rows of one INSERT: acra-server takes up a statement once for all of them, so that a value among
 * many costs it a half of one alone (docs/performance.md). But where it makes nothing of one, it sends on all of them as they came
 * (acra-server contract 13): what it may take for encrypted goes alone, and if one comes back unchanged, all are asked about alone.
 */
import type { EncryptedColumn } from '../encryptor-config/schema.ts';
import { looksEncrypted } from './check.ts';
import { searchStatement, storeStatement } from './statements.ts';
import type { ProtectTask } from './task.ts';

/** So that few statements serve every number of values; NULL does not fill up a row, since acra-server stumbles over one of an integer. */
const SIZES = [64, 16, 4, 1];

/** A statement that acra-server is asked about values by, one parameter for each task. */
export interface Question {
  readonly statement: string;
  readonly tasks: readonly ProtectTask[];
  /** @param stored what came of each task @returns false where it says nothing of each by itself */
  isProtected(stored: readonly Buffer[]): boolean;
}

class MadeUpInsert implements Question {
  readonly statement: string;
  readonly tasks: readonly ProtectTask[];

  constructor(of: EncryptedColumn, tasks: readonly ProtectTask[]) {
    this.statement = storeStatement(of, tasks.length);
    this.tasks = tasks;
  }

  isProtected(stored: readonly Buffer[]): boolean {
    return this.tasks.length === 1 || this.tasks.every(({ value }, at) => stored[at]?.equals(value) === false);
  }
}

/** @param tasks of any columns */
export function questionsFor(tasks: readonly ProtectTask[]): readonly Question[] {
  const { store = [], search = [] } = Object.groupBy(tasks, ({ kind }) => kind);
  const searches = search.map((task) => ({
    statement: searchStatement(task.of),
    tasks: [task],
    isProtected: () => true,
  }));
  return [...insertsFor(store), ...searches];
}

function insertsFor(tasks: readonly ProtectTask[]): readonly MadeUpInsert[] {
  return [...Map.groupBy(tasks, ({ of }) => of)].flatMap(([of, all]) => {
    const { alone = [], together = [] } = Object.groupBy(all, ({ value }) =>
      looksEncrypted(value) ? 'alone' : 'together',
    );
    return [...alone.map((task) => [task]), ...parts(together)].map((some) => new MadeUpInsert(of, some));
  });
}

function parts(tasks: readonly ProtectTask[]): ProtectTask[][] {
  const found: ProtectTask[][] = [];
  for (let at = 0; at < tasks.length; ) {
    const size = SIZES.find((each) => each <= tasks.length - at) ?? 1;
    found.push(tasks.slice(at, at + size));
    at += size;
  }
  return found;
}
