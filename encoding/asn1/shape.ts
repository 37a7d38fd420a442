/** Narrows nodes of the ASN.1 reader to the shape that a format demands; anything else is a FormatError that names the field. */

import { FormatError } from '../format-error.ts';
import type { Asn1Node } from './reader.ts';
import { TAG } from './reader.ts';

const MAX_SMALL_INTEGER = 0x7fff_ffff;

function hex(tag: number): string {
  return `0x${tag.toString(16).padStart(2, '0')}`;
}

export function expectTag(what: string, node: Asn1Node | undefined, tag: number): Asn1Node {
  if (node === undefined) throw new FormatError(`${what} is missing`);
  if (node.tag !== tag) throw new FormatError(`${what} must have tag ${hex(tag)}, not ${hex(node.tag)}`, node.offset);
  return node;
}

/** The members of a constructed value: exactly `count` of them. */
export function expectMembers(
  what: string,
  node: Asn1Node | undefined,
  tag: number,
  count: number,
): readonly Asn1Node[] {
  const { children, offset } = expectTag(what, node, tag);
  if (children.length === count) return children;
  throw new FormatError(`${what} must have ${count} members, not ${children.length}`, offset);
}

/** A non-negative INTEGER below 2^31 in its shortest form. */
export function expectSmallInteger(what: string, node: Asn1Node | undefined): number {
  const magnitude = expectUnsignedInteger(what, node, 4);
  const value = magnitude.readUInt32BE();
  if (value > MAX_SMALL_INTEGER) throw new FormatError(`${what} must be a small integer`, node?.offset);
  return value;
}

/**
 * A non-negative INTEGER in its shortest form.
 * @returns its magnitude, padded with zeros on the left to `size` bytes
 */
export function expectUnsignedInteger(what: string, node: Asn1Node | undefined, size: number): Buffer {
  const { content, offset } = expectTag(what, node, TAG.integer);
  const first = content[0] ?? 0x80;
  const padded = first === 0 && content.length > 1 && (content[1] ?? 0) < 0x80;
  if (first >= 0x80 || padded) throw new FormatError(`${what} must be a non-negative integer`, offset);
  const magnitude = first === 0 ? content.subarray(1) : content;
  if (magnitude.length > size) throw new FormatError(`${what} must have at most ${size} bytes`, offset);
  return Buffer.concat([Buffer.alloc(size - magnitude.length), magnitude]);
}

export function expectOctets(
  what: string,
  node: Asn1Node | undefined,
  length: number,
  tag: number = TAG.octetString,
): Buffer {
  const { content, offset } = expectTag(what, node, tag);
  if (content.length === length) return content;
  throw new FormatError(`${what} must have ${length} bytes, not ${content.length}`, offset);
}

export function expectOid(what: string, node: Asn1Node | undefined): Buffer {
  return expectTag(what, node, TAG.oid).content;
}

/**
 * A BIT STRING of DER: what is unused in its last byte is zero.
 * @returns its bytes, without the count of unused bits. A view.
 */
export function expectBitString(what: string, node: Asn1Node | undefined): Buffer {
  const { content, offset } = expectTag(what, node, TAG.bitString);
  const [unused = 8] = content;
  const bits = content.subarray(1);
  const rest = (bits.at(-1) ?? 0) & ((1 << unused) - 1);
  if (unused > 7 || rest !== 0 || (bits.length === 0 && unused > 0)) {
    throw new FormatError(`${what} is no bit string of DER`, offset);
  }
  return bits;
}
