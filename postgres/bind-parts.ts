/** A Bind for values that are too long to be copied into one message (PostgreSQL 18, "Message Formats": Bind). */
import { int16, int32, withLength } from './integers.ts';
import { FRONTEND } from './message-types.ts';
import { HEADER_BYTES } from './messages.ts';

/** Of the unnamed portal and statement: Buffers in binary, the rest as text, and the result in binary. */
export function bindParts(values: readonly (string | null | Buffer)[]): readonly Buffer[] {
  const bytes = values.map((value) => (typeof value === 'string' ? Buffer.from(value) : value));
  const body = [
    Buffer.alloc(2),
    int16(values.length),
    ...values.map((value) => int16(Buffer.isBuffer(value) ? 1 : 0)),
    int16(values.length),
    ...bytes.flatMap(withLength),
    int16(1),
    int16(1),
  ];
  const length = body.reduce((sum, part) => sum + part.length, HEADER_BYTES - 1);
  return [Buffer.from(FRONTEND.bind), int32(length), ...body];
}
