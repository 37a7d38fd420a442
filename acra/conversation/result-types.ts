/** What types a client is shown: those of the configuration, where the database has bytea (acra-server contract 4.3); tokens have theirs. */

import { ARRAY_OIDS } from '../../postgres/arrays.ts';
import {
  HEADER_BYTES,
  isBinaryAt,
  type ResultField,
  type TypeChange,
  withoutLastTypes,
  withTypes,
} from '../../postgres/messages.ts';
import { DATA_TYPE_OIDS, type DataType } from '../encryptor-config/data-types.ts';
import { databaseTypeOf } from '../encryptor-config/database-type.ts';
import type { EncryptedColumn } from '../encryptor-config/schema.ts';
import { alignOutputs, lacksTokens } from '../statements/outputs.ts';
import type { Prepared } from '../statements/plan.ts';
import { isOfEach, type ValueUse } from '../statements/value-use.ts';
import { contradictions } from './contradiction.ts';
import type { CellKind } from './value-protector.ts';

export interface ResultSource {
  readonly plan?: Prepared | undefined;
  /** Which statement of the text has the rows. Default: the first. */
  readonly at?: number | undefined;
  /** What the database says of them, where it was asked. */
  readonly described?: readonly ResultField[] | undefined;
  /** As the client has asked for them; undefined: as they are described. */
  readonly resultFormats?: readonly number[] | undefined;
}

function shownType(column: EncryptedColumn | undefined): number | undefined {
  const isAsStored = column?.dataType === undefined || column.dataType === 'bytes' || column.token;
  return isAsStored ? undefined : DATA_TYPE_OIDS[column.dataType];
}

function databaseType(use: ValueUse): number {
  const { oid, arrayOid } = databaseTypeOf(use.column);
  return isOfEach(use) ? arrayOid : oid;
}

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
export function describedTypes(source: ResultSource, count: number): TypeChange[] {
  return cellKinds(source, count).flatMap(({ column }, index) => {
    const typeOid = shownType(column);
    const offset = source.described?.[index]?.oidOffset;
    return typeOid === undefined || offset === undefined ? [] : [{ offset, typeOid, hasSize: true as const }];
  });
}

/** What the statement says about the cells of a row, as far as the database does not say otherwise. */
export function cellKinds(source: ResultSource | undefined, count: number): CellKind[] {
  const { plan, at = 0, described, resultFormats } = source ?? {};
  const outputs = plan?.results[at] ?? [];
  const results = alignOutputs(outputs, count);
  const isLacking = lacksTokens(outputs, results);
  const isCounted = described === undefined || described.length === count;
  const against = described && isCounted ? contradictions(results, described) : [];
  return results.map((result, index) => {
    const isBinary = resultFormats ? isBinaryAt(resultFormats, index) : described?.[index]?.isBinary === true;
    const contradiction = result && (isCounted ? against[index] : 'cells');
    const isWithheld = isLacking || (contradiction && result?.column.token) ? true : undefined;
    return { column: contradiction ? undefined : result?.column, isBinary, contradiction, isWithheld };
  });
}
