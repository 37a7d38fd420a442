/**
 * What `data verify` does: every protected cell of a table is looked at, and what the switch should have taken away. It changes nothing,
 * and is held to one page of memory.
 */

import type { EncryptedColumn, EncryptedTable } from '../../../acra/encryptor-config/schema.ts';
import type { Migration } from '../../../acra/migration/migration.ts';
import { identifier } from '../../../postgres/sql-names.ts';
import { StopRequested } from '../../../runtime/abort.ts';
import { CliError } from '../../errors.ts';
import { Caution, endsSession } from '../caution.ts';
import { rowsOf } from '../connection.ts';
import { failureOf } from '../failures.ts';
import { LongValue } from '../long-value.ts';
import { type PageLimits, type PageQuery, Pages, readKey } from '../page.ts';
import type { Progress, Throttle } from '../progress.ts';
import { type FoundTable, factsOf, findTable } from '../questions.ts';
import { rowKeyOf } from '../row-key.ts';
import type { Sessions } from '../sessions.ts';
import { column, from, type Key, type KeyedTable } from '../table.ts';
import { type Remainder, remaindersOf } from './remainders.ts';
import { FAULTS, type Fault } from './stored-cell.ts';
import { verifyCells } from './verify-cell.ts';
import { type Verified, verifyPage } from './verify-page.ts';
import { endMoment, type Offender, type Verification, type Views } from './views.ts';

export interface VerifyContext {
  readonly sessions: Sessions<Views>;
  readonly limits: PageLimits;
  readonly progress: Progress;
  readonly throttle: Throttle;
  readonly signal: AbortSignal;
}

export interface VerifyOptions {
  readonly table: EncryptedTable;
  readonly migrations: readonly Migration[];
  readonly schema: string | undefined;
  readonly maxOffenders: number;
  /** The plaintext column may still be full. */
  readonly isBeforeDrop: boolean;
}

export interface VerifyReport {
  /** `stopped`: by a signal; nothing is proved. */
  readonly outcome: 'proved' | 'faults' | 'stopped';
  readonly columns: readonly string[];
  readonly rows: number;
  readonly values: number;
  readonly faults: Readonly<Partial<Record<Fault, number>>>;
  /** The first ones. */
  readonly offenders: readonly Offender[];
  readonly remainders: readonly Remainder[];
}

async function requireTable({ opened }: Views, { table: { name }, schema }: VerifyOptions): Promise<FoundTable> {
  const { table } = await findTable(opened, name, schema);
  if (table) return table;
  throw new CliError('CLI_OPTION', `no single table of the database is called "${name}"`, {
    action: 'Name the schema by --schema.',
  });
}

const UNREADABLE: Fault = 'unreadable';

class TableWalk {
  readonly #verification: Verification;
  readonly #query: PageQuery;
  readonly #pages: Pages;
  readonly #singles: Pages;
  readonly #caution = new Caution<'page' | 'row' | 'cells' | 'key'>(['page', 'row', 'cells', 'key']);

  constructor(verification: Verification, limits: PageLimits) {
    const { table, columns } = verification;
    this.#verification = verification;
    this.#query = { table, columns: columns.map(({ name }) => column(name)) };
    this.#pages = new Pages(this.#query, limits);
    this.#singles = new Pages(this.#query, { ...limits, maxRows: 1 });
  }

  async next(views: Views, after: Key | undefined): Promise<Verified> {
    try {
      const verified = await this.#look(views, after);
      this.#caution.passed();
      return verified;
    } catch (error) {
      const isOfRow = failureOf(error) === 'row';
      if (!(isOfRow || endsSession(error)) || !this.#caution.failed(this.#pages.maxRows)) throw error;
      if (!isOfRow) throw error;
      await endMoment(views, 'ROLLBACK');
      return this.next(views, after);
    }
  }

  async #look(views: Views, after: Key | undefined): Promise<Verified> {
    const { way } = this.#caution;
    if (way === 'page' || way === 'row')
      return verifyPage(this.#verification, views, way === 'page' ? this.#pages : this.#singles, after);
    const { next: key } = await readKey(this.#query, views.opened, after);
    if (!key) return { rows: 0, next: undefined, offenders: [], values: 0 };
    if (way === 'cells') return { rows: 1, next: key, ...(await verifyCells(this.#verification, views, key)) };
    const offenders = this.#verification.columns.map(({ name }) => ({ column: name, key, fault: UNREADABLE }));
    return { rows: 1, next: key, offenders, values: 0 };
  }
}

async function walk(context: VerifyContext, verification: Verification, maxOffenders: number) {
  const { sessions, limits, progress, throttle, signal } = context;
  const walked = new TableWalk(verification, limits);
  const faults = new Map<Fault, number>();
  const offenders: Offender[] = [];
  let [rows, values, after] = [0, 0, undefined as Key | undefined];
  do {
    signal.throwIfAborted();
    const verified = await sessions.use((views) => walked.next(views, after));
    rows += verified.rows;
    values += verified.values;
    for (const each of verified.offenders) {
      faults.set(each.fault, (faults.get(each.fault) ?? 0) + 1);
      if (offenders.length < maxOffenders) offenders.push(each);
    }
    after = verified.next;
    progress.add(verified.rows);
    await throttle.after(verified.rows, signal);
  } while (after !== undefined);
  const counted = FAULTS.flatMap((fault) => (faults.has(fault) ? [[fault, faults.get(fault) ?? 0] as const] : []));
  return { rows, values, offenders, faults: Object.fromEntries(counted) };
}

function protectedColumns({ table, migrations }: VerifyOptions): EncryptedColumn[] {
  const isBeside = (name: string) => migrations.some(({ beside }) => beside === name);
  return [...table.encrypted.values()].filter(({ name }) => !isBeside(name));
}

async function verifyTable(context: VerifyContext, options: VerifyOptions): Promise<VerifyReport> {
  const { sessions, progress } = context;
  const found = await sessions.use((views) => requireTable(views, options));
  const facts = await sessions.use((views) => factsOf(views.opened, found.oid, ''));
  const key = rowKeyOf(found, facts, options.table.name);
  const columns = protectedColumns(options);
  const [migration] = options.migrations;
  const table: KeyedTable = {
    schema: found.schema,
    migration: migration ?? { table: options.table.name, column: '', beside: '', old: '' },
    key,
  };
  const plain = new Set<Migration>();
  for (const each of options.isBeforeDrop ? [] : options.migrations) {
    const sql = `SELECT 1 FROM ${from(table)} WHERE ${identifier(each.old)} IS NOT NULL LIMIT 1`;
    const hasOld = facts.columns.some(([name]) => name === each.old);
    if (hasOld && (await sessions.use((views) => rowsOf(views.opened, sql))).length > 0) plain.add(each);
  }
  const remainders = remaindersOf(facts, options.table, options.migrations, (each) => plain.has(each));
  progress.expect(found.estimatedRows);
  const walked = await walk(context, { table, columns, long: new LongValue() }, options.maxOffenders);
  const isProved = walked.offenders.length === 0 && remainders.every(({ isFault }) => !isFault);
  return { outcome: isProved ? 'proved' : 'faults', columns: columns.map(({ name }) => name), ...walked, remainders };
}

/** @throws CliError CLI_OPTION, CLI_DATABASE; what the database refuses */
export async function verify(context: VerifyContext, options: VerifyOptions): Promise<VerifyReport> {
  try {
    return await verifyTable(context, options);
  } catch (error) {
    if (!(error instanceof StopRequested)) throw error;
    return { outcome: 'stopped', columns: [], rows: 0, values: 0, faults: {}, offenders: [], remainders: [] };
  }
}
