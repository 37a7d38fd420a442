/**
 * Which settings of one column go together: acra-server 0.96.0 accepts a fixed list of combinations and refuses the
 * file otherwise (acra-server contract 4.1). Stated as rules; compared with acra-server's own verdict on every
 * combination by a test. Two rules are stricter, where acra-server would fall back silently: all three parts of
 * masking must be written, and `response_on_fail: default_value` needs a value.
 */
import { DATA_TYPE_OIDS, type DataType } from './data-types.ts';
import type { RawColumn, RawDefaults } from './schema.ts';

/** The protection of a column after defaults, as far as combinations go. */
interface Combination {
  readonly column: RawColumn;
  readonly dataType: DataType | undefined;
  readonly reencrypts: boolean;
  readonly acrastruct: boolean;
}

type Rule = (combination: Combination) => string | undefined;

/** The type that either of the two settings names. */
export function dataTypeOf(column: RawColumn): DataType | undefined {
  if (column.data_type !== undefined) return column.data_type;
  const byOid = Object.entries(DATA_TYPE_OIDS).find(([, oid]) => oid === column.data_type_db_identifier);
  return byOid?.[0] as DataType | undefined;
}

function isMasked({ masking, plaintext_length, plaintext_side }: RawColumn): boolean {
  return masking !== undefined || plaintext_length !== undefined || plaintext_side !== undefined;
}

const isSearchable = (column: RawColumn) => column.searchable === true;

const oneTypeSetting: Rule = ({ column }) =>
  column.data_type !== undefined && column.data_type_db_identifier !== undefined
    ? 'data_type and data_type_db_identifier exclude each other'
    : undefined;

const completeMasking: Rule = ({ column }) =>
  isMasked(column) && [column.masking, column.plaintext_length, column.plaintext_side].includes(undefined)
    ? 'masking needs all of masking, plaintext_length and plaintext_side'
    : undefined;

const maskingAlone: Rule = ({ column, dataType, acrastruct }) => {
  if (!isMasked(column)) return undefined;
  if (isSearchable(column)) return 'a masked column cannot be searchable';
  if (column.response_on_fail !== undefined || column.default_data_value !== undefined) {
    return 'a masked column takes neither response_on_fail nor default_data_value';
  }
  if (dataType === 'int32' || dataType === 'int64') return 'only str and bytes can be masked';
  return dataType !== undefined && acrastruct ? 'a masked column with a data type needs acrablock' : undefined;
};

const reencryption: Rule = ({ column, dataType, reencrypts }) =>
  !reencrypts && (isMasked(column) || isSearchable(column) || dataType !== undefined)
    ? 'reencrypting_to_acrablocks: false goes only with a column that is neither typed nor masked nor searchable'
    : undefined;

const failureNeedsType: Rule = ({ column, dataType }) => {
  if (dataType !== undefined) return undefined;
  if (column.default_data_value !== undefined) return 'default_data_value needs data_type';
  return column.response_on_fail !== undefined && !isSearchable(column)
    ? 'response_on_fail needs data_type, or searchable'
    : undefined;
};

const matchingDefault: Rule = ({ column }) => {
  const { response_on_fail: onFail, default_data_value: value } = column;
  if (value === undefined) {
    return onFail === 'default_value' ? 'response_on_fail: default_value needs default_data_value' : undefined;
  }
  if (onFail !== undefined && onFail !== 'default_value') {
    return 'default_data_value goes only with response_on_fail: default_value';
  }
  return onFail === undefined && isSearchable(column)
    ? 'a searchable column with default_data_value must state response_on_fail: default_value'
    : undefined;
};

/** Standard alphabet, padded. */
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

function isIntegerText(text: string, bits: 32 | 64): boolean {
  return /^-?\d{1,19}$/.test(text) && BigInt.asIntN(bits, BigInt(text)) === BigInt(text);
}

const validDefault: Rule = ({ column: { default_data_value: value }, dataType }) => {
  if (value === undefined) return undefined;
  switch (dataType) {
    case 'int32':
      return isIntegerText(value, 32) ? undefined : 'default_data_value is no 32-bit integer';
    case 'int64':
      return isIntegerText(value, 64) ? undefined : 'default_data_value is no 64-bit integer';
    case 'bytes':
      return BASE64.test(value) ? undefined : 'default_data_value of type bytes must be base64';
    default:
      return undefined;
  }
};

const RULES: readonly Rule[] = [
  oneTypeSetting,
  completeMasking,
  maskingAlone,
  reencryption,
  failureNeedsType,
  matchingDefault,
  validDefault,
];

/** The same of a column with token_type: it takes no other protection, and its envelope is an AcraBlock whatever is written. */
export function tokenProblem(column: RawColumn, defaults: RawDefaults): string | undefined {
  if (dataTypeOf(column) !== undefined) return 'a tokenized column takes no data_type: token_type says which it has';
  if (isMasked(column) || isSearchable(column)) return 'a tokenized column can be neither masked nor searchable';
  if (column.client_id !== undefined)
    return 'a tokenized column takes no client_id: acra-server reads the tokens of whoever is connected, and no others';
  if (column.response_on_fail !== undefined || column.default_data_value !== undefined)
    return 'a tokenized column takes neither response_on_fail nor default_data_value';
  if (column.crypto_envelope === 'acrastruct') return 'a tokenized column needs acrablock';
  const reencrypts = column.reencrypting_to_acrablocks ?? defaults.reencrypting_to_acrablocks ?? true;
  return reencrypts ? undefined : 'a tokenized column needs reencrypting_to_acrablocks';
}

/** Why acra-server would refuse these settings together, or undefined. Of a column without token_type. */
export function combinationProblem(column: RawColumn, defaults: RawDefaults): string | undefined {
  const combination: Combination = {
    column,
    dataType: dataTypeOf(column),
    reencrypts: column.reencrypting_to_acrablocks ?? defaults.reencrypting_to_acrablocks ?? true,
    acrastruct: (column.crypto_envelope ?? defaults.crypto_envelope) === 'acrastruct',
  };
  for (const rule of RULES) {
    const problem = rule(combination);
    if (problem !== undefined) return problem;
  }
  return undefined;
}
