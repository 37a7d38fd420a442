/**
 * The subject alternative names of a certificate, read as Go's crypto/x509 does: one name of a form that it does not read spoils the
 * certificate, whoever else is named in it. Names of further kinds count for nothing.
 * Specification: RFC 5280 section 4.2.1.6; Go 1.26, crypto/x509, parseSANExtension (parser.go).
 */
import type { Asn1Node } from '../../encoding/asn1/reader.ts';
import { TAG } from '../../encoding/asn1/reader.ts';
import { expectTag } from '../../encoding/asn1/shape.ts';
import { FormatError } from '../../encoding/format-error.ts';
import { refusedUri } from './uri.ts';

export interface AlternativeName {
  readonly kind: 'email' | 'dns' | 'uri' | 'ip';
  /** An IP address as `addressText` writes it. */
  readonly value: string;
}

/** GeneralName's context tags. */
const KINDS: ReadonlyMap<number, AlternativeName['kind']> = new Map([
  [0x81, 'email'],
  [0x82, 'dns'],
  [0x86, 'uri'],
  [0x87, 'ip'],
]);
const MAPPED_PREFIX = '00000000000000000000ffff';

/** The one spelling of an address of 4 or 16 bytes; IPv4 mapped into IPv6 is IPv4, as for Go. */
export function addressText(bytes: Buffer): string {
  const isMapped = bytes.length === 16 && bytes.toString('hex', 0, 12) === MAPPED_PREFIX;
  if (bytes.length === 4 || isMapped) return [...bytes.subarray(-4)].join('.');
  return (bytes.toString('hex').match(/.{4}/g) ?? []).join(':');
}

function readName(node: Asn1Node): AlternativeName[] {
  const kind = KINDS.get(node.tag);
  if (kind === undefined) return [];
  const { content, offset } = node;
  if (kind === 'ip') {
    if (content.length === 4 || content.length === 16) return [{ kind, value: addressText(content) }];
    throw new FormatError(`an IP address among the alternative names has ${content.length} bytes`, offset);
  }
  if (content.some((byte) => byte > 0x7f)) throw new FormatError(`the alternative name ${kind} is not ASCII`, offset);
  const value = content.toString('latin1');
  const fault = kind === 'uri' ? refusedUri(value) : undefined;
  if (fault !== undefined) throw new FormatError(`the URI ${shown(value)} among the alternative names has ${fault}`);
  return [{ kind, value }];
}

/** Certificates come from the other end: nothing of them may act on a terminal or fill a log. */
function shown(text: string): string {
  return JSON.stringify(text.replace(/[^\x20-\x7e]/g, '?').slice(0, 100));
}

/** @param value GeneralNames @throws FormatError */
export function readAlternativeNames(value: Asn1Node): AlternativeName[] {
  return expectTag('subject alternative names', value, TAG.sequence).children.flatMap(readName);
}
