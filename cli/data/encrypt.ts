/** What `data encrypt` does, from the first look to what becomes of the plaintext. All that it knows is in the database: it may end anywhere. */
import type { MigrationFinding } from '../../acra/migration/findings.ts';
import type { Side } from '../../acra/migration/sides.ts';
import { StopRequested } from '../../runtime/abort.ts';
import type { ConfiguredColumn } from './configured.ts';
import { type Connection, rowsOf, run } from './connection.ts';
import { type FillContext, fill, pagesToFill } from './fill.ts';
import { type Inspected, inspect } from './inspect.ts';
import { LongValue } from './long-value.ts';
import { analyse, dropOldColumn, emptyOld, type OldWay, proveNotNull } from './old-column.ts';
import { judgeColumn } from './preflight.ts';
import { type RefusedRow, restCondition, store } from './store.ts';
import { type SwitchOptions, switchColumns } from './switch.ts';
import { from, type Key, type KeyedTable } from './table.ts';
import { valueTypeOf } from './value-type.ts';

export interface EncryptOptions {
  readonly target: ConfiguredColumn;
  readonly schema: string | undefined;
  readonly isDryRun: boolean;
  readonly old: OldWay;
  readonly lock: Pick<SwitchOptions, 'lockTimeoutMs' | 'patienceMs'>;
  readonly told: (text: string) => void;
}

type Context = Omit<FillContext, 'filling'>;

export interface EncryptReport {
  /**
   * - `findings`: something has to be mended first, and nothing was changed.
   * - `tried`: with --dry-run.
   * - `refused`: rows cannot be encrypted; the others are, and the switch was not made.
   * - `stopped`: by a signal.
   * - `switched`: the column is protected.
   */
  readonly outcome: 'findings' | 'tried' | 'refused' | 'stopped' | 'switched';
  readonly side: Side | 'unknown';
  readonly findings: readonly MigrationFinding[];
  readonly refused: readonly RefusedRow[];
  /** Before: how many rows were to be filled. */
  readonly toFill?: number;
  readonly filled?: number;
  readonly rowsPerSecond?: number;
  readonly underLock?: number;
  readonly lockedMs?: number;
  readonly old?: { readonly way: OldWay; readonly emptied: number };
}

const EMPTY = { findings: [], refused: [] } as const;

const isFinding = (given: Inspected | MigrationFinding): given is MigrationFinding => 'code' in given;

const look = (context: Context, { target, schema }: EncryptOptions) =>
  context.sessions.use((connection) => inspect(connection, target.migration, target.column, schema));

async function countLeft({ sessions }: Context, table: KeyedTable): Promise<number> {
  const sql = `SELECT count(*) FROM ${from(table)} WHERE ${restCondition(table)}`;
  const [[count] = []] = await sessions.use((connection) => rowsOf(connection, sql));
  return Number(count);
}

const fillingOf = ({ table, configured }: Inspected): FillContext['filling'] => ({
  table,
  valueType: valueTypeOf(configured),
  long: new LongValue(),
});

/** Pages grow to their size. */
const TRIED_BATCHES = 6;

/** Some batches, taken back: whether it goes, and how fast by the last of them. */
async function tryBatches(context: FillContext, connection: Connection): Promise<Partial<EncryptReport>> {
  const pages = pagesToFill(context);
  const refused: RefusedRow[] = [];
  let [after, rowsPerSecond] = [undefined as Key | undefined, 0];
  await run(connection, 'BEGIN ISOLATION LEVEL READ COMMITTED');
  for (let batch = 0; batch < TRIED_BATCHES; batch += 1) {
    const startMs = context.clock.monotonicMs();
    const { rows, next } = await pages.read(connection, after);
    const result = rows.length > 0 ? await store(context.filling, connection, rows, true) : undefined;
    refused.push(...(result?.refused ?? []));
    const seconds = (context.clock.monotonicMs() - startMs) / 1_000;
    rowsPerSecond = Math.max(rowsPerSecond, Math.round((result?.stored ?? 0) / seconds));
    after = next;
    if (after === undefined) break;
  }
  await run(connection, 'ROLLBACK');
  return { refused, rowsPerSecond };
}

/** Behind the switch: in a session that knows it. */
async function finish(
  context: Context,
  options: EncryptOptions,
  table: KeyedTable,
): Promise<Pick<EncryptReport, 'old'>> {
  await context.sessions.renew();
  await proveNotNull(context, table);
  const inspected = await look(context, options);
  const hasOld = !isFinding(inspected) && inspected.columns.has(table.migration.old);
  if (options.old === 'keep' || !hasOld) return { old: { way: options.old, emptied: 0 } };
  const emptied = options.old === 'empty' ? await emptyOld(context, table) : 0;
  if (options.old === 'drop') await dropOldColumn(context, table);
  await analyse(context, table);
  return { old: { way: options.old, emptied } };
}

async function fillAndSwitch(
  context: FillContext,
  options: EncryptOptions,
  { table, columns }: Inspected,
): Promise<EncryptReport> {
  const { migration } = table;
  const toFill = await countLeft(context, table);
  context.progress.expect(toFill);
  const { stored, refused } = await fill(context);
  const counts = { toFill, filled: stored, rowsPerSecond: Math.round(context.progress.rowsPerSecond) };
  if (refused.length > 0) return { outcome: 'refused', side: 'plain', findings: [], refused, ...counts };
  options.told('the rows are filled; switching …');
  const { target, schema, told, lock } = options;
  const isSwitched = async (connection: Connection) => {
    const now = await inspect(connection, migration, target.column, schema);
    return !isFinding(now) && now.side === 'switched';
  };
  const isRequired = columns.get(migration.column)?.isRequired === true;
  const switched = await switchColumns(context, { ...lock, isRequired, told }, isSwitched);
  if (switched.outcome === 'refused')
    return { outcome: 'refused', side: 'plain', findings: [], refused: switched.refused, ...counts };
  const { underLock, lockedMs } = switched;
  const finished = await finish(context, options, table);
  return { outcome: 'switched', side: 'switched', ...EMPTY, ...counts, underLock, lockedMs, ...finished };
}

async function encryptColumn(context: Context, options: EncryptOptions): Promise<EncryptReport> {
  const inspected = await look(context, options);
  if (isFinding(inspected)) return { outcome: 'findings', side: 'unknown', findings: [inspected], refused: [] };
  const { side, table } = inspected;
  if (side === 'switched') {
    if (options.isDryRun) return { outcome: 'tried', side, ...EMPTY };
    return { outcome: 'switched', side, ...EMPTY, ...(await finish(context, options, table)) };
  }
  const findings = judgeColumn(inspected, false);
  const hasErrors = findings.some(({ severity }) => severity === 'error');
  const filling: FillContext = { ...context, filling: fillingOf(inspected) };
  if (hasErrors || side === 'unprepared') return { outcome: 'findings', side, findings, refused: [] };
  if (!options.isDryRun) return { ...(await fillAndSwitch(filling, options, inspected)), findings };
  const tried = await context.sessions.use((connection) => tryBatches(filling, connection));
  return { outcome: 'tried', side, findings, refused: [], toFill: await countLeft(context, table), ...tried };
}

/** @throws CliError CLI_DATA_DIFFERS, CLI_DATA_LOCK, CLI_DATA_ROWS, CLI_DATABASE; what the database refuses */
export async function encrypt(context: Context, options: EncryptOptions): Promise<EncryptReport> {
  try {
    return await encryptColumn(context, options);
  } catch (error) {
    if (error instanceof StopRequested) return { outcome: 'stopped', side: 'unknown', ...EMPTY };
    throw error;
  }
}
