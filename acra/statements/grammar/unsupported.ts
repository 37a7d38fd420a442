/** What the guard cannot do with protected columns, or not without an answer that is wrong. */
import type { EncryptedColumn } from '../../encryptor-config/schema.ts';
import { heldAs, isComparable } from '../comparable.ts';
import { Refusal } from '../refusal.ts';
import type { RefusalKind } from '../refusal-kinds.ts';

/** @param reason holds no value */
export function unsupported(kind: RefusalKind, reason: string): Refusal {
  return new Refusal(kind, reason);
}

/** Of a relation that nobody knows. @param name of the column; `*` a whole row */
export function doubtful(name: string): Refusal {
  const what = name === '*' ? 'a whole row may have a protected column' : `"${name}" may be a protected column`;
  return unsupported(
    'column-unlisted',
    `${what}: its relation is neither in the encryptor configuration nor in guard.list; it may be a result, and nothing else`,
  );
}

/** The database would say so too, when it has read what the name is compared with. */
export function missing(name: string): Refusal {
  return new Refusal('name-missing', `column "${name}" does not exist in this place`);
}

export function tooMany(): Refusal {
  return unsupported('value-count', 'there are more values than the table has known columns');
}

export function fromElsewhere({ name }: EncryptedColumn): Refusal {
  return unsupported(
    'value-hidden',
    `what is stored in column "${name}" comes from elsewhere: give it as a literal or a parameter`,
  );
}

export function starCompared(): Refusal {
  return unsupported(
    'value-hidden',
    'a query whose rows are compared with, or as, a protected column must name its columns: * does not',
  );
}

export function notComparable({ name }: EncryptedColumn): Refusal {
  return unsupported(
    'value-hidden',
    `what column "${name}" is compared with comes from elsewhere: give it as a literal or a parameter, or as a searchable column by its name`,
  );
}

/** Of the forms that stay. */
export function usedInside(column: EncryptedColumn): Refusal {
  const compared = isComparable(column) ? ', compared by =, <>, IN or = ANY' : '';
  return unsupported(
    'expression',
    `protected column "${column.name}" is used in an expression, where the database has ${heldAs(column)}: it may be a result${compared}, counted, or asked whether it is NULL`,
  );
}

/** Of a table whose columns have no known places (decision 21). */
export function byPlace(name: string): Refusal {
  return unsupported(
    'migration',
    `rows of table "${name}" are being encrypted, and its columns are meant by their places here: name them`,
  );
}
