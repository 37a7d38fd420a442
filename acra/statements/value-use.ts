/** What a value in a statement is for. */
import type { EncryptedColumn } from '../encryptor-config/schema.ts';

export interface ValueUse {
  readonly column: EncryptedColumn;
  /** To be stored in the column, or to be compared with it; `…-each`: an array, of which that is true for each element. */
  readonly role: 'store' | 'search' | 'store-each' | 'search-each';
}

export const isOfEach = ({ role }: ValueUse) => role === 'store-each' || role === 'search-each';

/** A second use of a parameter: another parameter, behind all that the client has, gets the same value. */
export interface ParameterCopy {
  /** Of which, from 1. */
  readonly of: number;
  readonly use: ValueUse;
}

/** What the parameters of a statement are for that are for protected columns. */
export interface ParameterUses {
  /** By parameter number, from 1. */
  readonly parameters: ReadonlyMap<number, ValueUse>;
  readonly copies: readonly ParameterCopy[];
}

export const takesValues = ({ parameters, copies }: ParameterUses) => parameters.size > 0 || copies.length > 0;
