/**
 * Networks as a configuration names them, and whether an address is in one of them. An address of IPv6 that maps one of IPv4, as
 * sockets for both have it, is that one of IPv4; apart from that the two do not mix: `::/0` holds no IPv4. Limits by address count
 * what one party can have at will: an address of IPv4, or the /64 of one of IPv6, of which a single host commonly has all.
 * Specification: RFC 4632 section 3.1 (prefixes), RFC 4291 sections 2.2, 2.3, 2.5.4 and 2.5.5.2 (addresses, prefixes, interface
 * identifiers, mapped addresses), RFC 6177.
 */
import { isIPv4, isIPv6, SocketAddress } from 'node:net';
import { WireError } from './errors.ts';

const WIDTHS = { ipv4: 32, ipv6: 128 } as const;
const MAPPED_PREFIX = 0xffffn;
const MAPPED_BITS = 96;
/** Of an IPv6 address: what belongs to one party. */
const PREFIX_BYTES = 8;
const FORMS = 'an address and a prefix, such as 10.0.0.0/8 or 2001:db8::/32';

interface Address {
  readonly family: keyof typeof WIDTHS;
  readonly bits: bigint;
}
interface Network extends Address {
  readonly prefix: number;
}
type Reading = { readonly network: Network } | { readonly fault: string };

function bitsOf(groups: readonly string[], groupBits: bigint, radixPrefix: '' | '0x'): bigint {
  return groups.reduce((bits, group) => (bits << groupBits) | BigInt(`${radixPrefix}${group}`), 0n);
}

const ipv4Bits = (text: string) => bitsOf(text.split('.'), 8n, '');

/** `::` stands for as many zero groups as are missing; the last two groups may be written as IPv4. */
function ipv6Bits(text: string): bigint {
  const plain = text.replace(/[\d.]+\.\d+$/, (ending) =>
    ipv4Bits(ending).toString(16).padStart(8, '0').replace(/^.{4}/, '$&:'),
  );
  const [head = [], tail = []] = plain.split('::').map((part) => part.split(':').filter((group) => group !== ''));
  const zeroes = Array<string>(8 - head.length - tail.length).fill('0');
  return bitsOf([...head, ...zeroes, ...tail], 16n, '0x');
}

/** Undefined for anything else, and for IPv6 addresses with a zone. */
function parseAddress(text: string): Address | undefined {
  if (isIPv4(text)) return { family: 'ipv4', bits: ipv4Bits(text) };
  return isIPv6(text) && !text.includes('%') ? { family: 'ipv6', bits: ipv6Bits(text) } : undefined;
}

function bytesOf({ family, bits }: Address): Buffer {
  return Buffer.from(bits.toString(16).padStart(WIDTHS[family] / 4, '0'), 'hex');
}

function groupsOf(bytes: Buffer): string[] {
  return bytes.toString('hex').match(/.{4}/g) ?? [];
}

/** @param bytes 4 or 16. @returns as people write it: dotted, or as RFC 5952 has it */
export function formatAddress(bytes: Buffer): string {
  if (bytes.length === WIDTHS.ipv4 / 8) return bytes.join('.');
  return new SocketAddress({ address: groupsOf(bytes).join(':'), family: 'ipv6' }).address;
}

function readNetwork(text: string): Reading {
  const [, addressText = '', prefixText = ''] = /^([^/]+)\/(\d|[1-9]\d{1,2})$/.exec(text) ?? [];
  const address = parseAddress(addressText);
  if (address === undefined) {
    const single = parseAddress(text);
    const advice = single && `; for one address write ${text}/${WIDTHS[single.family]}`;
    return { fault: `a network is ${FORMS}${advice ?? ''}` };
  }
  const prefix = Number(prefixText);
  const width = WIDTHS[address.family];
  if (prefix > width) return { fault: `the prefix of such an address is at most ${width}` };
  if (address.family === 'ipv6' && prefix >= MAPPED_BITS && address.bits >> 32n === MAPPED_PREFIX) {
    return { fault: 'a network of mapped IPv4 addresses is written as IPv4' };
  }
  const hostBits = BigInt(width - prefix);
  const bits = (address.bits >> hostBits) << hostBits;
  if (bits === address.bits) return { network: { ...address, prefix } };
  return {
    fault: `bits behind the prefix are set; the network is ${formatAddress(bytesOf({ ...address, bits }))}/${prefix}`,
  };
}

/** What is wrong with a network of a configuration; undefined when nothing is. */
export function networkFault(text: string): string | undefined {
  const reading = readNetwork(text);
  return 'fault' in reading ? reading.fault : undefined;
}

function requireNetwork(text: string): Network {
  const reading = readNetwork(text);
  if ('network' in reading) return reading.network;
  throw new WireError('CONFIG_NETWORK', `not a network: ${reading.fault}`, { found: text, allowed: FORMS });
}

/** The zone of a link-local address is the listener's own matter. */
function plainAddress(text: string): Address | undefined {
  const address = parseAddress(text.replace(/%.*$/, ''));
  if (address?.family !== 'ipv6' || address.bits >> 32n !== MAPPED_PREFIX) return address;
  return { family: 'ipv4', bits: address.bits & 0xffff_ffffn };
}

/** @returns 4 bytes, or 16; undefined for what is no address */
export function addressBytes(text: string): Buffer | undefined {
  const address = plainAddress(text);
  return address && bytesOf(address);
}

/** What limits by address count it as: `192.0.2.1`, `2001:db8:0:0::/64`; undefined for what is no address. */
export function addressKey(text: string): string | undefined {
  const bytes = addressBytes(text);
  if (bytes?.length !== WIDTHS.ipv6 / 8) return bytes?.join('.');
  const prefix = groupsOf(bytes.subarray(0, PREFIX_BYTES)).map((group) => group.replace(/^0{1,3}/, ''));
  return `${prefix.join(':')}::/64`;
}

/**
 * @returns whether an address is in one of the networks; what is no address is in none
 * @throws WireError CONFIG_NETWORK
 */
export function matcherOf(networks: readonly string[]): (address: string) => boolean {
  const parsed = networks.map(requireNetwork);
  return (text) => {
    const address = plainAddress(text);
    return parsed.some(({ family, bits, prefix }) => {
      const hostBits = BigInt(WIDTHS[family] - prefix);
      return address?.family === family && address.bits >> hostBits === bits >> hostBits;
    });
  };
}
