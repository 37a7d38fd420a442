/**
 * Header fields that a proxy passes on, and those that end at it. How a message is framed is never copied: it is read by Node's parser and
 * written anew, so that nobody behind can read it otherwise.
 * Specification: RFC 9110 section 7.6.1 (Connection), RFC 9112 sections 3.2.2 and 6, RFC 9209 (Proxy-Status ends with its proxy).
 */
import { fieldsOf, HOP_BY_HOP, namedByConnection, type RawFields } from '../../encoding/http-fields.ts';

/** The framing, what is between a program and this proxy, and what is written anew. */
const NOT_PASSED_ON = [...HOP_BY_HOP, 'content-length', 'expect', 'host', 'http2-settings'];

function endToEnd(raw: RawFields): string[] {
  const dropped = new Set([...NOT_PASSED_ON, ...namedByConnection(raw)]);
  return fieldsOf(raw).flatMap(([name, value]) => {
    const lower = name.toLowerCase();
    return dropped.has(lower) || lower.startsWith('proxy-') ? [] : [name, value];
  });
}

/** How long a body is: nobody has one, so many bytes, or until it ends. */
export type Framing =
  | { readonly kind: 'none' }
  | { readonly kind: 'length'; readonly bytes: string }
  | { readonly kind: 'chunked' };

const FRAMES: Readonly<Record<Framing['kind'], (bytes: string) => readonly string[]>> = {
  none: () => [],
  length: (bytes) => ['Content-Length', bytes],
  chunked: () => ['Transfer-Encoding', 'chunked'],
};

/** @param host the target, which wins over what the program wrote */
export function requestHeaders(raw: RawFields, host: string, framing: Framing): string[] {
  const frame = FRAMES[framing.kind](framing.kind === 'length' ? framing.bytes : '');
  return ['Host', host, ...endToEnd(raw), ...frame, 'Connection', 'keep-alive'];
}

/** @param contentLength of the answer, where it has one */
export function answerHeaders(raw: RawFields, contentLength: string | undefined): string[] {
  return [...endToEnd(raw), ...(contentLength === undefined ? [] : ['Content-Length', contentLength])];
}
