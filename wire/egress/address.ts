/**
 * Addresses as egress judges them. An address of IPv6 that leads to one of IPv4 is judged as that one, so that no spelling gets past a rule
 * for the other. Addresses of the machine itself, of its link and of no single host are kinds of their own: no wide rule allows them.
 * Specification: docs/specs/egress.md, 2; RFC 6890 (special addresses), RFC 4291 section 2.5.5, RFC 6052 and 8215 (NAT64), RFC 3056 (6to4),
 * RFC 4380 (Teredo), RFC 2765 (translated); Amazon EC2 User Guide, "Instance metadata" (fd00:ec2::254, and its neighbours for DNS and time).
 */
import { isIPv4, isIPv6 } from 'node:net';
import { addressBytes, formatAddress, matcherOf } from '../networks.ts';

export interface EgressAddress {
  readonly family: 4 | 6;
  /** As it is dialled. */
  readonly text: string;
  /** As rules see it: of IPv4 where IPv6 only wraps it. */
  readonly judged: string;
}

const V4_BYTES = 4;

/** A network, and whether an address is in it. */
function knownNetwork(network: string) {
  const isIn = matcherOf([network]);
  const prefix = prefixOf(network);
  /** Whether all of another network is in it. */
  const holds = (other: string) => isIn(baseOf(other)) && prefixOf(other) >= prefix;
  return { isIn, holds };
}

function baseOf(network: string): string {
  return network.slice(0, network.indexOf('/'));
}

function prefixOf(network: string): number {
  return Number(network.slice(network.indexOf('/') + 1));
}

/** Where the address of IPv4 begins. Mapped ones (::ffff:0:0/96) are read as IPv4 in the first place. */
const WRAPPINGS = [
  { ...knownNetwork('::ffff:0:0:0/96'), at: 12 },
  { ...knownNetwork('64:ff9b::/96'), at: 12 },
  { ...knownNetwork('2002::/16'), at: 2 },
  { ...knownNetwork('::/96'), at: 12 },
];
/** In the network of IPv4-compatible addresses, but none. */
const NOT_COMPATIBLE: ReadonlySet<string> = new Set(['::', '::1']);

function wrapped(text: string, bytes: Buffer): string | undefined {
  const at = NOT_COMPATIBLE.has(text) ? undefined : WRAPPINGS.find(({ isIn }) => isIn(text))?.at;
  return at === undefined ? undefined : formatAddress(bytes.subarray(at, at + V4_BYTES));
}

/** Whether a network holds only addresses that are judged as those of IPv4 inside: a rule for it would never be asked. */
export function isWrappingNetwork(network: string): boolean {
  const isOne = prefixOf(network) === 128 && NOT_COMPATIBLE.has(readAddress(baseOf(network))?.text ?? '');
  return !isOne && WRAPPINGS.some(({ holds }) => holds(network));
}

/** Undefined for what is no address: four decimal numbers without leading zeroes, or IPv6 without zone and brackets. */
export function readAddress(text: string): EgressAddress | undefined {
  if (!isIPv4(text) && (!isIPv6(text) || text.includes('%'))) return undefined;
  const bytes = addressBytes(text);
  if (bytes === undefined) return undefined;
  const plain = formatAddress(bytes);
  if (bytes.length === V4_BYTES) return { family: 4, text: plain, judged: plain };
  return { family: 6, text: plain, judged: wrapped(plain, bytes) ?? plain };
}

export interface SpecialKind {
  readonly name: string;
  readonly networks: readonly string[];
  /** Whether a rule for a network of this kind allows it. */
  readonly canBeAllowed: boolean;
}

const SPECIAL_KINDS: readonly SpecialKind[] = [
  { name: 'loopback', networks: ['127.0.0.0/8', '::1/128'], canBeAllowed: true },
  { name: 'link-local', networks: ['169.254.0.0/16', 'fe80::/10'], canBeAllowed: true },
  { name: 'a service of the instance', networks: ['fd00:ec2::/32'], canBeAllowed: true },
  { name: 'unspecified', networks: ['0.0.0.0/8', '::/128'], canBeAllowed: false },
  { name: 'of many hosts or of none', networks: ['224.0.0.0/3', 'ff00::/8'], canBeAllowed: false },
  { name: 'a tunnel', networks: ['2001::/32', '64:ff9b:1::/48'], canBeAllowed: false },
];
const SPECIAL = SPECIAL_KINDS.flatMap((kind) => kind.networks.map((network) => ({ kind, ...knownNetwork(network) })));

/** Undefined for an ordinary address. @param judged as readAddress has it */
export function specialKind(judged: string): SpecialKind | undefined {
  return SPECIAL.find(({ isIn }) => isIn(judged))?.kind;
}

/** The kind of which all addresses of a network are; undefined for one that reaches beyond. */
export function specialKindOfNetwork(network: string): SpecialKind | undefined {
  return SPECIAL.find(({ holds }) => holds(network))?.kind;
}
