/**
 * The values of protected columns between their text form and the bytes that acra-server encrypts, or exchanges: text as it is, integers as
 * PostgreSQL's binary form, all else as bytea.
 * Specification: PostgreSQL 18, "Numeric Types" and src/backend/utils/adt/numutils.c (integers); postgres/bytea.ts.
 */
import { isUtf8 } from 'node:buffer';
import type { EncryptedColumn } from '../../acra/encryptor-config/schema.ts';
import { isStoredForm } from '../../acra/engine/stored-form.ts';
import { Refusal } from '../../acra/statements/refusal.ts';
import { decodeBytea, encodeBytea } from '../../postgres/bytea.ts';

const INTEGER_BYTES = { int32: 4, int64: 8 } as const;
const INTEGER = /^[ \t\n\v\f\r]*([+-]?)(\d+)[ \t\n\v\f\r]*$/;
const LEADING_ZEROS = /^0+(?=\d)/;
/** Of an int64. Megabytes of digits would take seconds to convert. */
const MAX_DIGITS = 19;

const BYTEA_MARK = Buffer.from('\\x');

type IntegerType = keyof typeof INTEGER_BYTES;

function isInteger(type: EncryptedColumn['dataType']): type is IntegerType {
  return type === 'int32' || type === 'int64';
}

function outOfRange({ name }: EncryptedColumn, type: IntegerType): Refusal {
  return new Refusal('value-invalid', `the value for column "${name}" is out of range for type ${type}`, '22003');
}

function noBytea({ name }: EncryptedColumn): Refusal {
  return new Refusal('value-invalid', `the value for column "${name}" is no valid bytea`);
}

function integerBytes(column: EncryptedColumn, type: IntegerType, value: bigint): Buffer {
  const length = INTEGER_BYTES[type];
  if (BigInt.asIntN(8 * length, value) !== value) throw outOfRange(column, type);
  return bigEndian(value, length);
}

function integerFromText(column: EncryptedColumn, type: IntegerType, text: string): Buffer {
  const [, sign, written] = INTEGER.exec(text) ?? [];
  if (written === undefined) throw new Refusal('value-invalid', `the value for column "${column.name}" is no ${type}`);
  const digits = written.replace(LEADING_ZEROS, '');
  if (digits.length > MAX_DIGITS) throw outOfRange(column, type);
  return integerBytes(column, type, BigInt(`${sign}${digits}`));
}

/**
 * @param text UTF-8, as a literal or a parameter in text format has it
 * @throws Refusal 22P02 what the type cannot be read from, 22003 an integer out of range
 */
export function valueFromText(column: EncryptedColumn, text: Buffer): Buffer {
  const { dataType } = column;
  if (dataType === 'str') return text;
  if (isInteger(dataType)) return integerFromText(column, dataType, text.toString('latin1'));
  const bytes = decodeBytea(text);
  if (!bytes) throw noBytea(column);
  return bytes;
}

/**
 * What stands in a value that may be the column as it is stored: bytea in text, by its `\\x` or by what it turns out to be, or the bytes.
 * @returns undefined for any other value @throws Refusal 22P02 no bytea, 22021 neither a container nor text, in a column of text
 */
export function storedFrom(column: EncryptedColumn, value: Buffer, isBinary: boolean): Buffer | undefined {
  if (isStoredForm(column, value)) return value;
  if (isBinary) requireText(column, value);
  if (isBinary) return undefined;
  const bytes = decodeBytea(value);
  const isMarked = value.subarray(0, BYTEA_MARK.length).equals(BYTEA_MARK);
  if (bytes && isStoredForm(column, bytes)) return bytes;
  if (!isMarked) return undefined;
  if (!bytes) throw noBytea(column);
  requireText(column, bytes);
  return bytes;
}

/**
 * A cell of a column of tokens as it is stored, in binary form.
 * @returns undefined for what is no value of its type
 */
export function tokenIn(column: EncryptedColumn, cell: Buffer, isBinary: boolean): Buffer | undefined {
  const { dataType } = column;
  if (isInteger(dataType)) {
    if (isBinary) return cell.length === INTEGER_BYTES[dataType] ? cell : undefined;
    return /^-?\d{1,19}$/.test(cell.toString('latin1')) ? integerInRange(dataType, cell) : undefined;
  }
  return dataType === 'str' || isBinary ? cell : decodeBytea(cell);
}

function integerInRange(type: IntegerType, digits: Buffer): Buffer | undefined {
  const [value, bytes] = [BigInt(digits.toString('latin1')), INTEGER_BYTES[type]];
  if (BigInt.asIntN(8 * bytes, value) !== value) return undefined;
  return bigEndian(value, bytes);
}

function bigEndian(value: bigint, length: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64BE(value);
  return bytes.subarray(8 - length);
}

function requireText({ name, dataType }: EncryptedColumn, bytes: Buffer): void {
  if (dataType !== 'str' || (isUtf8(bytes) && !bytes.includes(0))) return;
  throw new Refusal('value-invalid', `the value for column "${name}" is neither a container nor UTF-8 text`, '22021');
}

/** Drivers send integers in the size that they think best. @param bytes a parameter in binary format. @throws Refusal 22P02, 22003 */
export function valueFromBinary(column: EncryptedColumn, bytes: Buffer): Buffer {
  const { name, dataType } = column;
  if (!isInteger(dataType)) return bytes;
  if (![2, 4, 8].includes(bytes.length)) {
    throw new Refusal('value-invalid', `the value for column "${name}" is no integer: ${bytes.length} bytes`);
  }
  return integerBytes(
    column,
    dataType,
    bytes.length === 8 ? bytes.readBigInt64BE() : BigInt(bytes.readIntBE(0, bytes.length)),
  );
}

/** A cell in text format. @param value in the column's binary form; one that acra-server could not open comes as it is stored */
export function textOf({ dataType }: EncryptedColumn, value: Buffer): Buffer {
  if (dataType === 'str') return value;
  if (isInteger(dataType) && value.length === INTEGER_BYTES[dataType]) {
    return Buffer.from(String(value.length === 8 ? value.readBigInt64BE() : value.readInt32BE()));
  }
  return Buffer.from(encodeBytea(value));
}
