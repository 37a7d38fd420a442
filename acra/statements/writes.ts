/**
 * What a statement writes into protected columns. A plain INSERT … VALUES or UPDATE … SET is encrypted; what acra-server's
 * parser does not know reaches the database in plaintext there (acra-server contract 0.2, 4.4, 10.1), and is refused here.
 */
import type { InsertStmt, Node, RangeVar, ResTarget, UpdateStmt } from 'libpg-query';
import type { Draft } from './draft.ts';
import { requireReadable } from './readable.ts';
import { Refusal } from './refusal.ts';
import type { Tables } from './scope.ts';
import { allAs, as, walk } from './tree.ts';

/** Whatever one of these writes into a protected table is refused. */
const OTHER_WRITERS = ['MergeStmt', 'CopyStmt', 'into', 'intoClause'];
const names = (targets: Node[] | undefined) => allAs(targets, 'ResTarget').map(({ name = '' }) => name);

/** Whether code in a string mentions a protected table together with a word that writes. */
function codeWrites(tables: Tables, node: Node): boolean {
  const code = JSON.stringify(node).toLowerCase();
  return (
    /insert|update|merge|copy|execute/.test(code) &&
    [...tables.keys()].some((table) => code.includes(table.toLowerCase()))
  );
}

function writesProtected(tables: Tables, node: Node, kind: string): boolean {
  const [insert, update, copy] = [as(node, 'InsertStmt'), as(node, 'UpdateStmt'), as(node, 'CopyStmt')];
  const body = Object.values(node)[0] as { relation?: RangeVar; rel?: RangeVar } | undefined;
  const table = tables.get((body?.relation ?? body?.rel)?.relname ?? '');
  const isAmong = (targets: string[]) => targets.some((name) => table?.encrypted.has(name));
  if (kind === 'DoStmt' || kind === 'CreateFunctionStmt') return codeWrites(tables, node);
  if (!table?.encrypted.size) return false;
  if (insert?.selectStmt && (!insert.cols || isAmong(names(insert.cols)))) return true;
  if (insert) return isAmong(names(insert.onConflictClause?.targetList));
  if (update) return isAmong(names(update.targetList));
  return OTHER_WRITERS.includes(kind) && (!copy || copy.is_from === true);
}

function assign(
  draft: Draft,
  tables: Tables,
  relation: RangeVar | undefined,
  target: ResTarget,
  value: Node | undefined,
): void {
  const column = tables.get(relation?.relname ?? '')?.encrypted.get(target.name ?? '');
  if (!column || (value && 'SetToDefault' in value)) return;
  if (target.indirection) throw new Refusal('acra-server', `only a part of column "${column.name}" is assigned`);
  draft.takeValue(value, { column, role: 'store' });
}

function takeInsert(draft: Draft, tables: Tables, { relation, cols, selectStmt, override }: InsertStmt): void {
  const { valuesLists, limitOption: _limit, op: _op, ...others } = as(selectStmt, 'SelectStmt') ?? {};
  const isPlain = valuesLists && Object.keys(others).length === 0;
  if (!isPlain) throw new Refusal('acra-server', 'INSERT takes its rows from elsewhere than VALUES');
  if (relation?.alias) throw new Refusal('acra-server', 'INSERT gives the table another name');
  if (override !== 'OVERRIDING_NOT_SET') throw new Refusal('acra-server', 'INSERT has an OVERRIDING clause');
  const known = tables.get(relation?.relname ?? '')?.columns ?? [];
  const targets = cols ? allAs(cols, 'ResTarget') : known.map((name): ResTarget => ({ name }));
  for (const { items = [] } of allAs(valuesLists, 'List')) {
    if (items.length > targets.length)
      throw new Refusal('acra-server', 'INSERT has more values than the table has known columns');
    for (const [index, value] of items.entries()) assign(draft, tables, relation, targets[index] ?? {}, value);
  }
}

function takeUpdate(draft: Draft, tables: Tables, { relation, targetList }: UpdateStmt): void {
  if (relation?.inh !== true) throw new Refusal('acra-server', 'UPDATE ONLY is used');
  for (const target of allAs(targetList, 'ResTarget')) assign(draft, tables, relation, target, target.val);
}

/** @param isAlone whether this is the only statement of its message. @throws Refusal */
export function judgeWrites(draft: Draft, tables: Tables, statement: Node, isAlone: boolean): void {
  let writerCount = 0;
  walk(statement, (node, kind) => {
    if (writesProtected(tables, node, kind)) writerCount += 1;
    return true;
  });
  if (writerCount === 0) return;
  const [insert, update] = [as(statement, 'InsertStmt'), as(statement, 'UpdateStmt')];
  if (!isAlone || writerCount > 1 || !(insert || update)) {
    throw new Refusal('statement-unknown', 'only a single plain INSERT or UPDATE may write protected columns', '42000');
  }
  requireReadable(draft, statement);
  if (insert) takeInsert(draft, tables, insert);
  if (update) takeUpdate(draft, tables, update);
}
