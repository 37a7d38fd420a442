/**
 * Object identifiers and character strings of ASN.1 as text. A string is held against the alphabet of its type, as Go's
 * crypto/x509 and other strict readers do; TeletexString and the types beyond are not read, for programs differ on them.
 * Specification: X.690 section 8.19 (object identifiers); X.680 section 41 (alphabets); RFC 5280 section 4.1.2.4.
 */
import { FormatError } from '../format-error.ts';
import type { Asn1Node } from './reader.ts';
import { TAG } from './reader.ts';
import { expectOid } from './shape.ts';

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** PrintableString, with the `*` and `&` that certificates have in spite of X.680. */
const PRINTABLE = /^[A-Za-z0-9 '()+,\-./:=?*&]*$/;
const NUMERIC = /^[0-9 ]*$/;
const IA5 = /^[\0-\x7f]*$/;
const SURROGATE = /[\ud800-\udfff]/;

function withAlphabet(node: Asn1Node, alphabet: RegExp): string | undefined {
  const text = node.content.toString('latin1');
  return alphabet.test(text) ? text : undefined;
}

function decodeUtf8({ content }: Asn1Node): string | undefined {
  try {
    return utf8.decode(content);
  } catch {
    return undefined;
  }
}

/** UCS-2, most significant byte first: characters beyond the basic plane do not exist in it. */
function decodeBmp({ content }: Asn1Node): string | undefined {
  if (content.length % 2 !== 0) return undefined;
  const text = Buffer.from(content).swap16().toString('utf16le');
  return SURROGATE.test(text) ? undefined : text;
}

const DECODERS: ReadonlyMap<number, (node: Asn1Node) => string | undefined> = new Map([
  [TAG.utf8String, decodeUtf8],
  [TAG.printableString, (node: Asn1Node) => withAlphabet(node, PRINTABLE)],
  [TAG.ia5String, (node: Asn1Node) => withAlphabet(node, IA5)],
  [TAG.numericString, (node: Asn1Node) => withAlphabet(node, NUMERIC)],
  [TAG.bmpString, decodeBmp],
]);

/** @throws FormatError for another type, and for characters that the type does not have */
export function expectText(what: string, node: Asn1Node | undefined): string {
  if (node === undefined) throw new FormatError(`${what} is missing`);
  const decode = DECODERS.get(node.tag);
  if (decode === undefined) throw new FormatError(`${what} is of no type of text that is read here`, node.offset);
  const text = decode(node);
  if (text === undefined) throw new FormatError(`${what} has characters that its type does not have`, node.offset);
  return text;
}

/** @returns `2.5.4.3` @throws FormatError */
export function expectOidText(what: string, node: Asn1Node | undefined): string {
  const content = expectOid(what, node);
  const [first, ...rest] = readArcs(what, content);
  if (first === undefined) throw new FormatError(`${what} is empty`, node?.offset);
  const root = first < 40n ? 0n : first < 80n ? 1n : 2n;
  return [root, first - root * 40n, ...rest].join('.');
}

/** Numbers in base 128, the top bit set on all bytes but the last of each, in their shortest form. */
function readArcs(what: string, content: Buffer): bigint[] {
  const arcs: bigint[] = [];
  let arc = 0n;
  let isOpen = false;
  for (const byte of content) {
    if (!isOpen && byte === 0x80) throw new FormatError(`${what} is not in its shortest form`);
    arc = arc * 128n + BigInt(byte & 0x7f);
    isOpen = byte >= 0x80;
    if (isOpen) continue;
    arcs.push(arc);
    arc = 0n;
  }
  if (isOpen) throw new FormatError(`${what} ends early`);
  return arcs;
}
