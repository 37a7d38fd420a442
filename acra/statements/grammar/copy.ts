/**
 * COPY of protected columns (PostgreSQL 18, "COPY"). What the client sends and receives is encrypted and decrypted on its way
 * (acra/conversation/), which needs to know which cell belongs to which column, and how cells are written. A file of the server's, or a
 * program there, does not come by here: refused.
 */
import type { CopyStmt, DefElem, Node } from 'libpg-query';
import { type CopyColumns, type CopyOptions, copyOptions } from '../../../postgres/copy/options.ts';
import { SessionError } from '../../../postgres/session-error.ts';
import { readsAsUtf8 } from '../../../postgres/unsafe-settings.ts';
import type { ProtectedCopy } from '../copy-stream.ts';
import type { Draft } from '../draft.ts';
import type { Result } from '../outputs.ts';
import { Refusal } from '../refusal.ts';
import { allAs, allOf, as, stringsOf } from '../tree.ts';
import { isProtected, shownOf } from './columns.ts';
import { judgeExpression } from './judge-query.ts';
import { type Database, Scope } from './relations.ts';
import { unsupported } from './unsupported.ts';

const isOfColumn = (result: Result) => typeof result === 'object';

/**
 * @returns undefined where nothing of it is protected: of rows that go into a protected table nobody knows that before they are counted
 * @throws Refusal
 */
export function copyOfTable(draft: Draft, database: Database, statement: CopyStmt): ProtectedCopy | undefined {
  const { relation = {}, attlist, whereClause } = statement;
  const table = database.tables.get(relation.relname ?? '');
  const scope = new Scope(database);
  const target = scope.relation(relation);
  const over = scope.with([target], target.columns);
  if (table?.encrypted.size) requireUnprotected(whereClause, over);
  if (whereClause) judgeExpression(draft, database, whereClause, over);
  if (!table?.encrypted.size) return undefined;
  requireClient(statement, `protected table "${table.name}"`);
  // Which columns there are, and in which order, is not the database's word: it leaves out generated ones, for one.
  const known = shownOf(target.columns).flatMap(({ name }) => name ?? []);
  if (!attlist) draft.nameColumns(relation, known);
  const names = attlist ? stringsOf(attlist) : known;
  const outputs = names.map((name): Result => {
    const column = table.encrypted.get(name);
    return column ? { column, name, isReference: true } : 'unprotected';
  });
  return statement.is_from || outputs.some(isOfColumn) ? copyWith(statement, outputs, names) : undefined;
}

/** @param outputs of the query. @returns undefined where none is protected. @throws Refusal */
export function copyOfQuery(statement: CopyStmt, outputs: readonly Result[]): ProtectedCopy | undefined {
  if (!outputs.some(isOfColumn)) return undefined;
  requireClient(statement, 'a query with protected columns');
  return copyWith(statement, outputs, []);
}

function copyWith({ options = [] }: CopyStmt, outputs: readonly Result[], names: readonly string[]): ProtectedCopy {
  const elements = allAs(options, 'DefElem');
  const skipsBadRows = elements.some((each) => each.defname === 'on_error' && isIgnore(each));
  return { options: optionsOf(elements), outputs, names, skipsBadRows };
}

function requireClient({ is_from: isFrom, filename, is_program: isProgram }: CopyStmt, what: string): void {
  if (!filename) return;
  const where = isProgram ? 'a program' : 'a file';
  const other = isFrom ? 'FROM STDIN' : 'TO STDOUT';
  throw unsupported(
    'copy',
    `COPY of ${what} with ${where} on the database's side, which does not come by here: use ${other}`,
  );
}

/** Whole rows among them. */
function requireUnprotected(where: Node | undefined, scope: Scope): void {
  for (const reference of allOf(where, 'ColumnRef')) {
    const output = scope.find(reference);
    if (!isProtected(output)) continue;
    throw unsupported('copy', `WHERE of COPY names protected column "${output.name}": filter before, or behind it`);
  }
}

function optionsOf(elements: readonly DefElem[]): CopyOptions {
  try {
    return copyOptions(Object.assign({}, ...elements.map(optionOf)));
  } catch (error) {
    if (error instanceof SessionError) throw new Refusal('copy', error.message, error.sqlState);
    throw error;
  }
}

function optionOf(element: DefElem): Partial<CopyOptions> {
  switch (element.defname) {
    case 'format':
      return { format: formatOf(element) };
    case 'header':
      return { header: headerOf(element) };
    case 'delimiter':
    case 'quote':
    case 'escape':
      return { [element.defname]: textOf(element) };
    case 'null':
      return { nullText: textOf(element) };
    case 'default':
      return { defaultText: textOf(element) };
    case 'force_not_null':
      return { forceNotNull: columnsOf(element) };
    case 'force_null':
      return { forceNull: columnsOf(element) };
    case 'encoding':
      if (!readsAsUtf8(textOf(element))) throw unsupported('copy', 'COPY of protected columns must be in UTF8');
      return {};
    case 'on_error':
      if (!isIgnore(element) && textOf(element).toLowerCase() !== 'stop') throw unknown(element);
      return {};
    case 'force_quote':
    case 'freeze':
    case 'log_verbosity':
    case 'reject_limit':
      return {};
    default:
      throw unknown(element);
  }
}

const unknown = ({ defname = '' }: DefElem) =>
  unsupported('copy', `option ${defname.toUpperCase()} of COPY, or what it says, is not known here`);

function textOf({ arg }: DefElem): string {
  return as(arg, 'String')?.sval ?? '';
}

const isIgnore = (element: DefElem) => textOf(element).toLowerCase() === 'ignore';

function formatOf(element: DefElem): CopyOptions['format'] {
  const format = textOf(element);
  if (format === 'text' || format === 'csv' || format === 'binary') return format;
  throw unknown(element);
}

const HEADERS: Readonly<Record<string, CopyOptions['header']>> = {
  true: 'skip',
  on: 'skip',
  '1': 'skip',
  false: 'none',
  off: 'none',
  '0': 'none',
  match: 'match',
};

function headerOf(element: DefElem): CopyOptions['header'] {
  const { arg } = element;
  if (!arg) return 'skip';
  const [flag, number] = [as(arg, 'Boolean'), as(arg, 'Integer')];
  const word = flag ? String(flag.boolval ?? false) : number ? String(number.ival ?? 0) : textOf(element).toLowerCase();
  const header = Object.hasOwn(HEADERS, word) ? HEADERS[word] : undefined;
  if (header === undefined) throw unknown(element);
  return header;
}

function columnsOf({ arg }: DefElem): CopyColumns {
  return as(arg, 'A_Star') ? 'all' : stringsOf(as(arg, 'List')?.items);
}
