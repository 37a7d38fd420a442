/** Integers of messages and binary values: two's complement, high byte first (PostgreSQL 18, "Message Data Types": Int16, Int32). */

export function int16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeInt16BE(value);
  return bytes;
}

export function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}

/** A value behind its length, as DataRow, Bind, COPY and arrays have it; nothing of it is copied. @param value null: NULL */
export function withLength(value: Buffer | null): readonly Buffer[] {
  return value === null ? [int32(-1)] : [int32(value.length), value];
}
