/** What types a client is shown: those of the configuration, where the database has bytea (acra-server contract 4.3). */

import { ARRAY_OIDS } from '../../postgres/arrays.ts';
import {
  HEADER_BYTES,
  isBinaryAt,
  OIDS,
  type ResultField,
  type TypeChange,
  withoutLastTypes,
  withTypes,
} from '../../postgres/messages.ts';
import { DATA_TYPE_OIDS, type DataType } from '../encryptor-config/data-types.ts';
import type { EncryptedColumn } from '../encryptor-config/schema.ts';
import { alignOutputs } from '../statements/outputs.ts';
import type { Prepared } from '../statements/plan.ts';
import { isOfEach, type ValueUse } from '../statements/value-use.ts';
import type { CellKind } from './value-protector.ts';

interface ResultSource {
  readonly plan?: Prepared | undefined;
  /** Which statement of the text has the rows. Default: the first. */
  readonly at?: number;
  readonly fields?: readonly ResultField[];
  readonly resultFormats?: readonly number[];
}

function shownType(column: EncryptedColumn | undefined): number | undefined {
  return column?.dataType === undefined || column.dataType === 'bytes' ? undefined : DATA_TYPE_OIDS[column.dataType];
}

const databaseType = (use: ValueUse) => (isOfEach(use) ? ARRAY_OIDS.bytea : OIDS.bytea);

/** What the database is told of the parameters. @param oids as the client declared them @param parameterCount of the client's */
export function databaseTypes(
  { parameters, copies }: Prepared,
  oids: readonly number[],
  parameterCount: number,
): number[] {
  const length = copies.length > 0 ? parameterCount : Math.max(oids.length, ...parameters.keys());
  const own = Array.from({ length }, (_, index) => {
    const use = parameters.get(index + 1);
    return use ? databaseType(use) : (oids[index] ?? 0);
  });
  return [...own, ...copies.map(({ use }) => databaseType(use))];
}

const SHOWN_ARRAYS: Readonly<Record<DataType, number>> = {
  str: ARRAY_OIDS.text,
  bytes: ARRAY_OIDS.bytea,
  int32: ARRAY_OIDS.int4,
  int64: ARRAY_OIDS.int8,
};

/** A ParameterDescription as the client is shown it: other types, and no copies. */
export function describeParameters(frame: Buffer, plan: Prepared | undefined): Buffer {
  if (!plan) return frame;
  return withoutLastTypes(withTypes(frame, parameterTypes(plan)), plan.copies.length);
}

function parameterTypes({ parameters }: Prepared): TypeChange[] {
  return [...parameters].flatMap(([number, use]) => {
    const { column } = use;
    const typeOid = isOfEach(use) ? SHOWN_ARRAYS[column.dataType ?? 'bytes'] : shownType(column);
    return typeOid === undefined ? [] : [{ offset: HEADER_BYTES + 2 + 4 * (number - 1), typeOid }];
  });
}

/** The same for a RowDescription. */
export function describedTypes(source: ResultSource, fields: readonly ResultField[]): TypeChange[] {
  const kinds = cellKinds(source, fields.length);
  return fields.flatMap(({ oidOffset: offset }, index) => {
    const typeOid = shownType(kinds[index]?.column);
    return typeOid === undefined ? [] : [{ offset, typeOid, hasSize: true as const }];
  });
}

/** What the statement says about the cells of a row, and, after a RowDescription, what the database says. */
export function cellKinds(source: ResultSource | undefined, count: number): CellKind[] {
  const { plan, at = 0, fields, resultFormats = [] } = source ?? {};
  return alignOutputs(plan?.results[at] ?? [], count).map((column, index) => {
    const { typeOid = OIDS.bytea, isBinary = isBinaryAt(resultFormats, index) } = fields?.[index] ?? {};
    return { column: typeOid === OIDS.bytea ? column : undefined, isBinary };
  });
}
