/**
 * Header fields that a proxy passes on, and those that end at it. How a message is framed is never copied: it is read by Node's parser and
 * written anew, so that nobody behind can read it otherwise.
 * Specification: RFC 9110 section 7.6.1 (Connection), RFC 9112 sections 3.2.2 and 6, RFC 9209 (Proxy-Status ends with its proxy).
 */

/** Name and value in turns, as `rawHeaders` has them. */
export type RawHeaders = readonly string[];

const HOP_BY_HOP: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'expect',
  'host',
  'http2-settings',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

function pairsOf(raw: RawHeaders): readonly (readonly [name: string, value: string])[] {
  return raw.flatMap((name, index) => (index % 2 === 0 ? [[name, raw[index + 1] ?? ''] as const] : []));
}

/** Fields that the message itself says are for the next hop only. */
function namedByConnection(raw: RawHeaders): ReadonlySet<string> {
  const named = pairsOf(raw).filter(([name]) => name.toLowerCase() === 'connection');
  return new Set(named.flatMap(([, value]) => value.split(',').map((token) => token.trim().toLowerCase())));
}

function endToEnd(raw: RawHeaders): string[] {
  const named = namedByConnection(raw);
  return pairsOf(raw).flatMap(([name, value]) => {
    const lower = name.toLowerCase();
    return HOP_BY_HOP.has(lower) || lower.startsWith('proxy-') || named.has(lower) ? [] : [name, value];
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
export function requestHeaders(raw: RawHeaders, host: string, framing: Framing): string[] {
  const frame = FRAMES[framing.kind](framing.kind === 'length' ? framing.bytes : '');
  return ['Host', host, ...endToEnd(raw), ...frame, 'Connection', 'keep-alive'];
}

/** @param contentLength of the answer, where it has one */
export function answerHeaders(raw: RawHeaders, contentLength: string | undefined): string[] {
  return [...endToEnd(raw), ...(contentLength === undefined ? [] : ['Content-Length', contentLength])];
}
