/**
 * Columns that consist of values of the statement itself: of VALUES, of unnest(…), of a literal in a sub-select. Only where such a column is
 * used it shows what its values are for. Stored in a protected column, or compared with one, all of them are encrypted as that column's
 * are, and it is that column from there on: the hash stands in front of a searchable ciphertext. Used as they are they stay so. Never both.
 */
import type { Node, TypeCast } from 'libpg-query';
import type { EncryptedColumn } from '../../encryptor-config/schema.ts';
import type { Output } from '../outputs.ts';
import { as, builtInName } from '../tree.ts';
import { unsupported } from './unsupported.ts';

export type GivenNodes =
  | { readonly array: Node }
  /** From each row one; undefined where a row is too short, which PostgreSQL does not take. */
  | { readonly values: readonly (Node | undefined)[] };

export class Given {
  readonly nodes: GivenNodes;
  /** Of columns that are this one in another type. They are to be the protected column's own, once it is that. */
  readonly casts: TypeCast[] = [];
  #use: EncryptedColumn | 'as it is' | undefined;

  constructor(nodes: GivenNodes) {
    this.nodes = nodes;
  }

  get output(): Output {
    return typeof this.#use === 'object' ? this.#use : 'unprotected';
  }

  /** It is used where nothing is encrypted, or compared in a way that the statement does not show. */
  isRead(): void {
    this.#use ??= 'as it is';
  }

  /** @returns whether its values are still to be taken for the column. @throws Refusal where they are used as they are, too */
  isFor(column: EncryptedColumn): boolean {
    if (this.#use === 'as it is') {
      throw unsupported('value-shared', `what is given for column "${column.name}" is used for something else, too`);
    }
    const isNew = this.#use === undefined;
    this.#use ??= column;
    return isNew;
  }
}

/** Of those that a value can be an array of here, none has columns of its own. */
const SCALARS: readonly string[] = [
  ...['bool', 'int2', 'int4', 'int8', 'float4', 'float8', 'numeric', 'text', 'varchar', 'bpchar', 'bytea'],
  ...['date', 'time', 'timetz', 'timestamp', 'timestamptz', 'interval', 'uuid', 'json', 'jsonb', 'inet'],
];

/** Of a composite type there would be a column for each of its fields. */
function isOfScalars(array: Node): boolean {
  const [cast, elements] = [as(array, 'TypeCast'), as(array, 'A_ArrayExpr')?.elements];
  if (cast) return SCALARS.includes(builtInName(cast.typeName?.names) ?? '');
  return elements?.every((element) => 'A_Const' in element || isOfScalars(element)) === true;
}

/** The arrays of unnest(…), as bulk inserts write it. */
export function unnestedArrays(node: Node | undefined): readonly Node[] | undefined {
  const call = as(node, 'FuncCall');
  const arrays = call?.args ?? [];
  return builtInName(call?.funcname) === 'unnest' && arrays.every(isOfScalars) ? arrays : undefined;
}

/** A literal or a parameter, perhaps with a type. */
export function isValue(node: Node | undefined): node is Node {
  const cast = as(node, 'TypeCast');
  if (cast) return isValue(cast.arg);
  return node !== undefined && ('A_Const' in node || 'ParamRef' in node);
}
