/**
 * Goes through a table, a page after the other: as it is stored, which tells what is under which key, and where something is to be done,
 * opened. What has been done is in the table, so that it may end anywhere, and begin anew.
 */
import { Caution, endsSession } from '../caution.ts';
import type { Cell } from '../connection.ts';
import { failureOf, sqlStateOf } from '../failures.ts';
import { LONG } from '../long-cells.ts';
import { type PageLimits, type PageQuery, Pages, readKey } from '../page.ts';
import { ALIAS, column, type Key, keyOf } from '../table.ts';
import type { Views } from '../verify/views.ts';
import { readStored, requireCurrent, rewriteCell } from './rewrite-cell.ts';
import { NOTHING, RowFault, rewriteRows, sumOf } from './rewrite-rows.ts';
import type { Left, OldRow, Rewriting } from './rewriting.ts';
import { bytesOfHex, type KeyState, storedCell } from './stored-value.ts';

export type States = Readonly<Record<KeyState, number>>;

export interface Stepped {
  readonly rows: number;
  /** Undefined: no row follows. */
  readonly next: Key | undefined;
  /** Values by what they were before this step. */
  readonly states: States;
  /** Rows that are to be looked at again. */
  readonly changed: number;
  readonly left: readonly Left[];
}

export const NO_STATES: States = { empty: 0, current: 0, old: 0, other: 0, form: 0, untold: 0 };

/** What the guard says where a column is configured to fail over what does not open (docs/refusals.md, `unreadable`). */
const UNREADABLE = '42000';

const isOfValue = (error: unknown): boolean => failureOf(error) === 'row' || sqlStateOf(error) === UNREADABLE;

/** What a step finds, as it goes. */
class Findings {
  readonly states: Record<KeyState, number> = { ...NO_STATES };
  readonly left: Left[] = [];
  changed = 0;

  stepped(rows: number, next: Key | undefined): Stepped {
    const { states, left, changed } = this;
    return { rows, next, states, left, changed };
  }
}

interface LongCell {
  readonly column: string;
  readonly key: Key;
}

export class ReencryptWalk {
  readonly #rewriting: Rewriting;
  readonly #isToWrite: boolean;
  readonly #query: PageQuery;
  readonly #pages: Pages;
  readonly #singles: Pages;
  readonly #caution = new Caution<'page' | 'row' | 'cells' | 'key'>(['page', 'row', 'cells', 'key']);

  constructor(rewriting: Rewriting, limits: PageLimits, isToWrite: boolean) {
    const { table, columns } = rewriting;
    this.#rewriting = rewriting;
    this.#isToWrite = isToWrite;
    this.#query = { table, columns: [`${ALIAS}.xmin::text`, ...columns.map(({ name }) => column(name))] };
    this.#pages = new Pages(this.#query, limits);
    this.#singles = new Pages(this.#query, { ...limits, maxRows: 1 });
  }

  /** @throws also where the sessions are to be made anew, and what failed is then gone about otherwise */
  async step(views: Views, after: Key | undefined): Promise<Stepped> {
    try {
      const stepped = await this.#look(views, after);
      this.#caution.passed();
      return stepped;
    } catch (error) {
      const isOfRow = isOfValue(error) || error instanceof RowFault;
      if (!(isOfRow || endsSession(error)) || !this.#caution.failed(this.#pages.maxRows)) throw error;
      if (!isOfRow) throw error;
      return this.step(views, after);
    }
  }

  async #look(views: Views, after: Key | undefined): Promise<Stepped> {
    const { way } = this.#caution;
    if (way === 'page' || way === 'row') return this.#page(views, way === 'page' ? this.#pages : this.#singles, after);
    const { next: key } = await readKey(this.#query, views.stored, after);
    const found = new Findings();
    if (!key) return found.stepped(0, undefined);
    for (const { name } of this.#rewriting.columns) {
      if (way === 'cells') await this.#cell(views, { column: name, key }, found);
      else found.left.push({ column: name, key, fault: 'unreadable' });
    }
    return found.stepped(1, key);
  }

  async #page(views: Views, pages: Pages, after: Key | undefined): Promise<Stepped> {
    const found = new Findings();
    const page = await pages.read(views.stored, after);
    const long: LongCell[] = [];
    const rows = page.rows.flatMap((row) => this.#oldRow(row, found, long));
    if (this.#isToWrite && rows.length > 0) long.push(...(await this.#rewrite(views, rows, found)));
    for (const each of long) await this.#cell(views, each, found);
    return found.stepped(page.rows.length, page.next);
  }

  /** @returns the row, where something in it is under an old key */
  #oldRow(row: readonly Cell[], found: Findings, long: LongCell[]): OldRow[] {
    const { table, columns, ids } = this.#rewriting;
    const key = keyOf(table, row);
    const cells = columns.flatMap((of, index) => {
      const cell = row[table.key.length + 1 + index] ?? null;
      if (cell === LONG) {
        long.push({ column: of.name, key });
        return [];
      }
      const value = storedCell(ids, of, cell);
      this.#count(found, { column: of.name, key }, value.state);
      return value.state === 'old' ? [{ of, value, stored: bytesOfHex(cell ?? '') }] : [];
    });
    return cells.length > 0 ? [{ key, version: row[table.key.length] ?? null, cells }] : [];
  }

  #count(found: Findings, at: LongCell, state: KeyState): void {
    found.states[state] += 1;
    if (state === 'form' || (state === 'old' && !this.#isToWrite)) found.left.push({ ...at, fault: state });
  }

  /** In sessions that are not known yet, one row after the other. @returns cells that are too long when they are opened */
  async #rewrite(views: Views, rows: readonly OldRow[], found: Findings): Promise<LongCell[]> {
    let [sum, done] = [NOTHING, 0];
    for (; done < rows.length && !this.#rewriting.known.has(views); done += 1) {
      const [row] = rows.slice(done, done + 1);
      const [cell] = row?.cells ?? [];
      const rewritten = await rewriteRows(this.#rewriting, views.opened, rows.slice(done, done + 1));
      if (rewritten.written > 0 && row && cell) await requireCurrent(this.#rewriting, views, row.key, cell.of);
      sum = sumOf(sum, rewritten);
    }
    sum = sumOf(sum, await rewriteRows(this.#rewriting, views.opened, rows.slice(done)));
    found.changed += sum.changed;
    found.left.push(...sum.left);
    return sum.long.flatMap(({ key, cells }) => cells.map(({ of }) => ({ column: of.name, key })));
  }

  async #cell(views: Views, at: LongCell, found: Findings): Promise<void> {
    try {
      await this.#cellNow(views, at, found);
    } catch (error) {
      if (!isOfValue(error)) throw error;
      found.left.push({ ...at, fault: 'unreadable' });
    }
  }

  async #cellNow(views: Views, at: LongCell, found: Findings): Promise<void> {
    const of = this.#rewriting.columns.find(({ name }) => name === at.column);
    if (!of) return;
    const read = await readStored(this.#rewriting, views, of, at.key);
    if (read.state === 'too-long') found.left.push({ ...at, fault: 'unreadable' });
    if (read.state === 'gone') found.changed += 1;
    if (read.state === 'too-long' || read.state === 'gone') return;
    this.#count(found, at, read.state);
    if (read.state !== 'old' || !this.#isToWrite) return;
    const outcome = await rewriteCell(this.#rewriting, views, of, at.key, read);
    if (outcome === 'changed') found.changed += 1;
    else if (outcome === 'written') {
      this.#rewriting.wrote(1);
      await requireCurrent(this.#rewriting, views, at.key, of);
    } else found.left.push({ ...at, fault: outcome });
  }
}
