/**
 * Which names a CA may give out, and whether certificates below it keep to that, as Go's crypto/x509 judges it.
 * Specification: RFC 5280 section 4.2.1.10; Go 1.26, crypto/x509, constraints.go and parseNameConstraintsExtension (parser.go).
 */
import type { Asn1Node } from '../../encoding/asn1/reader.ts';
import { TAG } from '../../encoding/asn1/reader.ts';
import { expectTag } from '../../encoding/asn1/shape.ts';
import { FormatError } from '../../encoding/format-error.ts';
import type { AlternativeName } from './alternative-names.ts';

interface Subtree {
  readonly kind: AlternativeName['kind'];
  /** A domain, or a mailbox; of an IP address the network and the mask in hex. */
  readonly text: string;
}

export interface NameConstraints {
  readonly permitted: readonly Subtree[];
  readonly excluded: readonly Subtree[];
  /** Names of a kind that Go does not judge. */
  readonly hasUnknown: boolean;
}

const KINDS: ReadonlyMap<number, AlternativeName['kind']> = new Map([
  [0x81, 'email'],
  [0x82, 'dns'],
  [0x86, 'uri'],
  [0x87, 'ip'],
]);

function readSubtree(node: Asn1Node): Subtree | undefined {
  const [base] = expectTag('name constraint', node, TAG.sequence).children;
  const kind = base === undefined ? undefined : KINDS.get(base.tag);
  if (base === undefined || kind === undefined) return undefined;
  const { content, offset } = base;
  if (kind === 'ip') {
    if (content.length === 8 || content.length === 32) return { kind, text: content.toString('hex') };
    throw new FormatError(`a name constraint on addresses has ${content.length} bytes`, offset);
  }
  const text = content.toString('latin1');
  const labels = (text.startsWith('.') ? text.slice(1) : text).split('.');
  if (/[^!-~]/.test(text) || (text !== '' && labels.includes(''))) {
    throw new FormatError('a name constraint is no domain', offset);
  }
  return { kind, text: text.toLowerCase() };
}

/** @throws FormatError */
export function readNameConstraints(value: Asn1Node): NameConstraints {
  const { children } = expectTag('name constraints', value, TAG.sequence);
  const nodesOf = (tag: number) => children.find((each) => each.tag === tag)?.children ?? [];
  const permitted = nodesOf(TAG.contextConstructed0).map(readSubtree);
  const excluded = nodesOf(TAG.contextConstructed1).map(readSubtree);
  if (permitted.length + excluded.length === 0) throw new FormatError('the name constraints are empty');
  const isKnown = (subtree: Subtree | undefined) => subtree !== undefined;
  return {
    permitted: permitted.filter(isKnown),
    excluded: excluded.filter(isKnown),
    hasUnknown: [...permitted, ...excluded].some((each) => each === undefined),
  };
}

function addressBytes(text: string): Buffer {
  return text.includes(':') ? Buffer.from(text.replaceAll(':', ''), 'hex') : Buffer.from(text.split('.').map(Number));
}

function isInNetwork(address: Buffer, constraint: string): boolean {
  const bytes = Buffer.from(constraint, 'hex');
  const size = bytes.length / 2;
  if (address.length !== size) return false;
  return address.every((byte, index) => {
    const mask = bytes[size + index] ?? 0;
    return (byte & mask) === ((bytes[index] ?? 0) & mask);
  });
}

function isInDomain(name: string, domain: string): boolean {
  if (domain === '') return true;
  if (domain.startsWith('.')) return name.endsWith(domain);
  return name === domain || name.endsWith(`.${domain}`);
}

/** A wildcard is excluded already by the exclusion of one of the names that it stands for. */
function isExcludedWildcard(name: string, domain: string): boolean {
  return name.startsWith('*.') && domain.replace(/^[^.]*\./, '') === name.slice(2);
}

/** What stands in a domain: for a URI its host, for a mailbox what comes after the `@`. */
function domainOf({ kind, value }: AlternativeName): string {
  if (kind === 'email') return value.slice(value.lastIndexOf('@') + 1).toLowerCase();
  if (kind === 'uri') return URL.parse(value)?.hostname.toLowerCase() ?? '';
  return value.toLowerCase();
}

function matches(name: AlternativeName, { text }: Subtree): boolean {
  if (name.kind === 'ip') return isInNetwork(addressBytes(name.value), text);
  if (name.kind === 'email' && text.includes('@')) return name.value.toLowerCase() === text;
  return isInDomain(domainOf(name), text);
}

/** The first of the names that the CA may not give out. */
export function forbiddenName(
  names: readonly AlternativeName[],
  { permitted, excluded }: NameConstraints,
): AlternativeName | undefined {
  return names.find((name) => {
    const sameKind = ({ kind }: Subtree) => kind === name.kind;
    const allowing = permitted.filter(sameKind);
    const isExcluded = excluded
      .filter(sameKind)
      .some((each) => matches(name, each) || (name.kind === 'dns' && isExcludedWildcard(domainOf(name), each.text)));
    return isExcluded || (allowing.length > 0 && !allowing.some((each) => matches(name, each)));
  });
}
