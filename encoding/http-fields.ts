/**
 * Fields of HTTP/1.1 heads as Node's parser gives them, and heads that are written without Node. Specification: RFC 9110 sections 5 and
 * 7.6.1 (Connection), RFC 9112 section 4.
 */

/** Names and values by turns, as `rawHeaders` has them. */
export type RawFields = readonly string[];
export type Field = readonly [name: string, value: string];

/** Those that every intermediary takes off, whether Connection names them or not. */
export const HOP_BY_HOP = ['connection', 'keep-alive', 'te', 'trailer', 'transfer-encoding', 'upgrade'] as const;

export function fieldsOf(raw: RawFields): Field[] {
  return Array.from({ length: raw.length / 2 }, (_, index) => [raw[2 * index] ?? '', raw[2 * index + 1] ?? '']);
}

/** @param name in lower case */
export function valuesOf(raw: RawFields, name: string): readonly string[] {
  return fieldsOf(raw)
    .filter(([each]) => each.toLowerCase() === name)
    .map(([, value]) => value);
}

/** Names, in lower case, of fields that the message itself says are for the next hop only. */
export function namedByConnection(raw: RawFields): readonly string[] {
  return valuesOf(raw, 'connection').flatMap((value) => value.split(',').map((name) => name.trim().toLowerCase()));
}

/** Status line and fields of an answer, with the empty line behind them. */
export function answerHead(status: number, reason: string, fields: readonly Field[]): string {
  const lines = fields.map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${status} ${reason}\r\n${lines.join('')}\r\n`;
}
