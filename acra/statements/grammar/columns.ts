/** Columns of relations and of what queries yield, and what is asked of them. */
import type { EncryptedColumn, EncryptedTable } from '../../encryptor-config/schema.ts';
import type { Output } from '../outputs.ts';
import type { Given } from './given.ts';

/** A column of a relation, or of what a query yields. The name is undefined where it is not known, and of `unknown-star`. */
export interface Column {
  readonly name: string | undefined;
  readonly output: Output;
  /** It is a column of a relation, through whatever queries, and no expression. */
  readonly isReference?: boolean | undefined;
  /** It is not the column itself that stands there, but its hash. */
  readonly isHash?: true;
  /** A whole row, in which a column may be hidden. */
  readonly isRow?: true;
  /** Of `unknown-star`: no column of it is protected. */
  readonly isPlain?: true;
  /** Of a plain `unknown-star`: its columns are worked out of those of relations that nobody knows. */
  readonly isOfUnlisted?: boolean;
  /** A value of the statement may be in it, whatever else is. */
  readonly holdsValue?: boolean;
  /** Only its name finds it (see the table's `hidden`). */
  readonly isHidden?: true;
  /** Where it consists of values of the statement. What it yields may change then: look when it is needed. */
  readonly given?: Given;
}

export function givenColumn(name: string | undefined, given: Given): Column {
  return {
    name,
    given,
    get output() {
      return given.output;
    },
  };
}

export const named = (name: string | undefined, column: Column): Column =>
  column.given ? givenColumn(name, column.given) : { ...column, name };

/** They are used where nothing is encrypted. */
export function areRead(columns: readonly Column[]): void {
  for (const { given } of columns) given?.isRead();
}

/** A relation that is not configured: it may have protected columns under their names. */
export const UNKNOWN: readonly Column[] = [{ name: undefined, output: 'unknown-star' }];

/** One of which nothing is protected. */
export const PLAIN_TABLE: readonly Column[] = [{ name: undefined, output: 'unknown-star', isPlain: true }];

export const isProtected = (output: Output): output is EncryptedColumn => typeof output === 'object';

export const protectedIn = (columns: readonly Column[]): EncryptedColumn | undefined =>
  columns.map(({ output }) => output).find(isProtected);

export const isOpen = (columns: readonly Column[]) => columns.some(({ output }) => output === 'unknown-star');

/** Whether a protected column may stand behind a name that is not among these. */
export const isUnknown = (columns: readonly Column[]) =>
  columns.some(({ output, isPlain }) => output === 'unknown-star' && !isPlain);

/** Whether one of them may be a protected column. */
export const areHidden = (columns: readonly Column[]) =>
  isUnknown(columns) || columns.some(({ output }) => output === 'doubtful');

/** Of a relation that nobody knows, or of a number of them. */
export const isUnlisted = (column: Column) =>
  column.output === 'unlisted' || column.isOfUnlisted === true || isUnknown([column]);

/** What a query works out holds a value perhaps, and what it has from a relation does not. */
export const mayHoldValue = ({ output, isReference, given, name, holdsValue }: Column) =>
  holdsValue === true || given !== undefined || (output === 'unprotected' && !isReference && name !== undefined);

/** As many columns as there may be that are worked out of these, and none of them protected. */
export const workedOutOf = (columns: readonly Column[]): readonly Column[] => [
  {
    name: undefined,
    output: 'unknown-star',
    isPlain: true,
    isOfUnlisted: columns.some(isUnlisted),
    holdsValue: columns.some(mayHoldValue),
  },
];

/** Of a protected table. */
export function columnsOf(table: EncryptedTable): Column[] {
  return table.columns.map((name) => ({
    name,
    output: table.encrypted.get(name) ?? 'unprotected',
    isReference: true,
    ...(table.hidden?.includes(name) && { isHidden: true }),
  }));
}

/** Whether the places of columns mean nothing in the database. */
export const isByName = (columns: readonly Column[]) => columns.some(({ isHidden }) => isHidden);

/** Those that `*` stands for. */
export const shownOf = (columns: readonly Column[]) => columns.filter(({ isHidden }) => !isHidden);
