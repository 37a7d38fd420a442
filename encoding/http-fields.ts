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

const FIRST_LAST_WORD = 200;

/**
 * Whether an answer can be passed on in one way only. Node hands on no 1xx but 101, which nobody asked for where it comes as an answer, and
 * decodes of codings chunked alone. Specification: RFC 9110 section 15.2, RFC 9112 section 6.1.
 */
export function isTellable(status: number | undefined, raw: RawFields): boolean {
  const codings = valuesOf(raw, 'transfer-encoding');
  return status !== undefined && status >= FIRST_LAST_WORD && codings.every((each) => each.toLowerCase() === 'chunked');
}

/** An answer without content says no length (RFC 9110 section 8.6): who believed it would wait for the next answer's bytes. */
export function saysLength(status: number | undefined): boolean {
  return status !== 204;
}

/** Status line and fields of an answer, with the empty line behind them. */
export function answerHead(status: number, reason: string, fields: readonly Field[]): string {
  const lines = fields.map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${status} ${reason}\r\n${lines.join('')}\r\n`;
}
