/**
 * The belt of a protected column: a SQL expression that holds for NULL, for the empty string (stored as it is) and for what acra-server
 * stores (acra-server contract 9.1), tested as far as SQL can see it: every tag and type, and every length that a container, the block or
 * struct in it and the sealed data state, which must add up to the length of the value.
 *
 *   container  = "%%%" | u64 length | f0 or f1 | block or struct
 *   block      = 22 x4 | u64 rest | 00 | key id[2] | 00 | u16 76 | sealed key[76] | sealed data
 *   struct     = 22 x8 | public key[45] | wrapped key[84] | u64 rest | sealed data
 *   sealed     = 00010140 | u32 12 | u32 16 | u32 length of the message | iv[12] | tag[16] | message
 *
 * Each part is compared with a template into which the lengths that must stand there are written. So only built-in functions are called that
 * are immutable, the same in PostgreSQL 13 to 18, and fail for no value; `substr` and `octet_length` read no more than they need of a
 * value that lies outside of its row. The text is as PostgreSQL writes the expression back (pg_get_constraintdef), so that it can be found again.
 */

import { identifier } from '../../postgres/sql-names.ts';
import type { EncryptedColumn } from '../encryptor-config/schema.ts';

type Envelope = EncryptedColumn['envelope'];

/** The four low bytes of a length, little-endian: no value of PostgreSQL is longer (1 GB). */
interface Length {
  /** In the part, in bytes. */
  readonly at: number;
  /** What comes before that which is counted: the whole form without these bytes. */
  readonly less: number;
}

interface Part {
  /** In the form, in bytes. */
  readonly at: number;
  readonly hex: string;
  readonly lengths: readonly Length[];
}

interface Form {
  readonly parts: readonly Part[];
  /** Of the whole form, without the message that is sealed in it. */
  readonly overheadBytes: number;
}

const HEADER_BYTES = 12;
const HASH_BYTES = 33;
const U32 = '00000000';
const U64 = '0000000000000000';
const TAG = '252525';
const CELL = '00010140' + '0c000000' + '10000000';
/** Header, iv and tag of a Secure Cell. */
const CELL_BYTES = 44;
/** A data key of 32 bytes, sealed. */
const SEALED_KEY = `${CELL}20000000`;

const BLOCK: Form = {
  parts: [
    { at: 0, hex: `22222222${U64}00`, lengths: [{ at: 4, less: 4 }] },
    { at: 15, hex: `004c00${SEALED_KEY}`, lengths: [] },
    { at: 94, hex: `${CELL}${U32}`, lengths: [{ at: 12, less: 94 + CELL_BYTES }] },
  ],
  overheadBytes: 94 + CELL_BYTES,
};

/** An elliptic curve's public key is marked `UEC2` and 45 bytes long, its length big-endian; a Secure Message of 84 bytes has the data key. */
const STRUCT: Form = {
  parts: [
    { at: 0, hex: '2222222222222222' + '55454332' + '0000002d', lengths: [] },
    { at: 53, hex: `2027042654000000${SEALED_KEY}`, lengths: [] },
    {
      at: 137,
      hex: `${U64}${CELL}${U32}`,
      lengths: [
        { at: 0, less: 145 },
        { at: 20, less: 145 + CELL_BYTES },
      ],
    },
  ],
  overheadBytes: 145 + CELL_BYTES,
};

const BODIES: Readonly<Record<Envelope, Form>> = { acrablock: BLOCK, acrastruct: STRUCT };
const ENVELOPE_IDS: Readonly<Record<Envelope, string>> = { acrablock: 'f0', acrastruct: 'f1' };

/** With the container's header before it, in one part with the body's first bytes. */
function inContainer(envelope: Envelope): Form {
  const { parts, overheadBytes } = BODIES[envelope];
  const moved = parts.map(({ at, hex, lengths }) => ({
    at: at + HEADER_BYTES,
    hex,
    lengths: lengths.map((each) => ({ at: each.at, less: each.less + HEADER_BYTES })),
  }));
  const [first, ...others] = moved;
  const header: Part = {
    at: 0,
    hex: `${TAG}${U64}${ENVELOPE_IDS[envelope]}${first?.hex ?? ''}`,
    lengths: [{ at: 3, less: 0 }, ...(first?.lengths ?? []).map(({ at, less }) => ({ at: at + HEADER_BYTES, less }))],
  };
  return { parts: [header, ...others], overheadBytes: overheadBytes + HEADER_BYTES };
}

/** How functions and the column are written. */
interface Writing {
  readonly schema: '' | 'pg_catalog.';
  readonly column: string;
}

/** Of the value's length. */
const lengthWithout = ({ schema, column }: Writing, less: number) => {
  const whole = `${schema}octet_length(${column})`;
  return less === 0 ? whole : `(${whole} - ${less})`;
};

function withLength(template: string, { at, less }: Length, outside: number, writing: Writing): string {
  const length = lengthWithout(writing, less + outside);
  return [0, 1, 2, 3].reduce((inner, byte) => {
    const shifted = byte === 0 ? length : `(${length} >> ${8 * byte})`;
    return `${writing.schema}set_byte(${inner}, ${at + byte}, (${shifted} & 255))`;
  }, template);
}

const isEqual = ({ schema, column }: Writing, at: number, hex: string, template: string) =>
  `(${schema}substr(${column}, ${at + 1}, ${hex.length / 2}) = ${template})`;

/** @param before bytes in front of the form @param outside bytes of the value that are no part of it, these among them */
function hasForm({ parts }: Form, before: number, outside: number, writing: Writing): string[] {
  return parts.map(({ at, hex, lengths }) => {
    const template = lengths.reduce(
      (inner, length) => withLength(inner, length, outside, writing),
      `'\\x${hex}'::bytea`,
    );
    return isEqual(writing, before + at, hex, template);
  });
}

const allOf = (conditions: readonly string[]) => `(${conditions.join(' AND ')})`;

/** A value that is no longer than what masking leaves readable is encrypted whole. */
function maskedForms(
  { envelope }: EncryptedColumn,
  { plaintextBytes, side }: NonNullable<EncryptedColumn['masking']>,
  writing: Writing,
): string[] {
  const form = inContainer(envelope);
  const before = side === 'left' ? plaintextBytes : 0;
  const beside = allOf(hasForm(form, before, plaintextBytes, writing));
  if (plaintextBytes === 0) return [beside];
  const isShort = `(${lengthWithout(writing, 0)} <= ${form.overheadBytes + plaintextBytes})`;
  return [beside, allOf([...hasForm(form, 0, 0, writing), isShort])];
}

/** What is encrypted already is kept as it came: a container of the other kind too, and what stands in none. Only a plain column takes a struct apart. */
function keptForms({ envelope, searchable, reencryptsToAcraBlock }: EncryptedColumn): Form[] {
  const other = envelope === 'acrablock' ? 'acrastruct' : 'acrablock';
  const opensStructs = envelope === 'acrablock' && reencryptsToAcraBlock && !searchable;
  const kept: readonly Envelope[] = opensStructs ? [envelope] : [envelope, other];
  return [...kept.map(inContainer), ...kept.map((each) => BODIES[each])];
}

function forms(column: EncryptedColumn, writing: Writing): string[] {
  if (column.masking) return maskedForms(column, column.masking, writing);
  const before = column.searchable ? HASH_BYTES : 0;
  const hash = column.searchable ? [isEqual(writing, 0, '7f', `'\\x7f'::bytea`)] : [];
  return keptForms(column).map((form) => allOf([...hash, ...hasForm(form, before, before, writing)]));
}

function expression(column: EncryptedColumn, writing: Writing): string {
  const isEmpty = `(${lengthWithout(writing, 0)} = 0)`;
  return `((${writing.column} IS NULL) OR ${isEmpty} OR ${forms(column, writing).join(' OR ')})`;
}

/**
 * A SQL boolean expression, never NULL: whether a value may stand in the column. No value makes it fail.
 * @param columnName what the column is called where the expression is used, as PostgreSQL stores the name
 */
export function checkFor(column: EncryptedColumn, columnName: string): string {
  return expression(column, { schema: 'pg_catalog.', column: identifier(columnName) });
}

/** As PostgreSQL writes it back, with an empty search_path, when the column's name is written so. */
export function checkAsStored(column: EncryptedColumn, columnText: string): string {
  return expression(column, { schema: '', column: columnText });
}
