/** Of the arrays in which values of a column are sent: what applications write for its `data_type`. */
import type { EncryptedColumn } from '../../acra/encryptor-config/schema.ts';

const VALUE_TYPES = { str: 'text', bytes: 'bytea', int32: 'integer', int64: 'bigint' } as const;
export type ValueType = (typeof VALUE_TYPES)[keyof typeof VALUE_TYPES];

export const valueTypeOf = ({ dataType = 'bytes' }: EncryptedColumn): ValueType => VALUE_TYPES[dataType];
