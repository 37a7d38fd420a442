/** bytea's text form that PostgreSQL writes by default (PostgreSQL 18, "Binary Data Types", "bytea Hex Format"). */

export function encodeBytea(bytes: Buffer): string {
  return `\\x${bytes.toString('hex')}`;
}
