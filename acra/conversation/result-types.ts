/** What types a client is shown: those of the configuration, where the database has bytea (acra-server contract 4.3). */
import { HEADER_BYTES, isBinaryAt, OIDS, type ResultField, type TypeChange } from '../../postgres/messages.ts';
import { DATA_TYPE_OIDS } from '../encryptor-config/data-types.ts';
import type { EncryptedColumn } from '../encryptor-config/schema.ts';
import type { Plan } from '../statements/judge.ts';
import { alignOutputs } from '../statements/outputs.ts';
import type { CellKind } from './value-protector.ts';

interface ResultSource {
  readonly plan?: Plan | undefined;
  readonly fields?: readonly ResultField[];
  readonly resultFormats?: readonly number[];
}

function shownType(column: EncryptedColumn | undefined): number | undefined {
  return column?.dataType === undefined || column.dataType === 'bytes' ? undefined : DATA_TYPE_OIDS[column.dataType];
}

/** Where a ParameterDescription has parameters for protected columns, and what the client is told instead of bytea. */
export function parameterTypes(plan: Plan | undefined): TypeChange[] {
  return [...(plan?.parameters ?? [])].flatMap(([number, { column }]) => {
    const typeOid = shownType(column);
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
  const { plan, fields, resultFormats = [] } = source ?? {};
  return alignOutputs(plan?.outputs ?? [], count).map((column, index) => {
    const { typeOid = OIDS.bytea, isBinary = isBinaryAt(resultFormats, index) } = fields?.[index] ?? {};
    return { column: typeOid === OIDS.bytea ? column : undefined, isBinary };
  });
}
