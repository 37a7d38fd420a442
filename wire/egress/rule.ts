/**
 * Rules of egress: NAME, *.NAME, **.NAME, ADDRESS or CIDR, each with a port or a range of ports. What is none is a fault that says what is
 * allowed; nothing that looks like an address becomes a name, for then a mistyped `deny` would deny nothing.
 * Specification: docs/specs/egress.md, 1.
 */
import { domainToASCII, domainToUnicode } from 'node:url';
import { hostFault } from '../host.ts';
import { networkFault } from '../networks.ts';
import { isWrappingNetwork, readAddress, specialKindOfNetwork } from './address.ts';
import { EgressError } from './errors.ts';

const DEFAULT_PORT = 443;
const MAX_PORT = 65_535;
const FORMS =
  'NAME, *.NAME (one label), **.NAME (one or more labels), ADDRESS or CIDR (IPv6 in brackets, as [2001:db8::/32]), each with :PORT or :FROM-TO';

interface Ports {
  /** As it was written. */
  readonly text: string;
  readonly from: number;
  readonly to: number;
}
export interface NameRule extends Ports {
  readonly kind: 'name';
  /** Left to right; `*` stands for any one label. */
  readonly labels: readonly string[];
  /** Whether one or more labels stand before these. */
  readonly isDeep: boolean;
}
interface NetworkRule extends Ports {
  readonly kind: 'network';
  /** Address and prefix. */
  readonly network: string;
}
export type EgressRule = NameRule | NetworkRule;

type What = Pick<NameRule, 'kind' | 'labels' | 'isDeep'> | Pick<NetworkRule, 'kind' | 'network'>;
type Reading<Value> = { readonly value: Value } | { readonly fault: string };
const fault = (text: string) => ({ fault: text });

function readPorts(text: string | undefined): Reading<Pick<Ports, 'from' | 'to'>> {
  if (text === undefined) return { value: { from: DEFAULT_PORT, to: DEFAULT_PORT } };
  const [, first, last = first] = /^([1-9]\d{0,4})(?:-([1-9]\d{0,4}))?$/.exec(text) ?? [];
  const from = Number(first);
  const to = Number(last);
  if (first === undefined || from > MAX_PORT || to > MAX_PORT)
    return fault(`a port is a number from 1 to ${MAX_PORT}, and a range two of them, as 8000-8010`);
  return from <= to ? { value: { from, to } } : fault('a range begins with its lower port');
}

/** One address has no prefix; the networks of a rule do. */
function readNetwork(text: string, isV6: boolean): Reading<What> {
  const network = text.includes('/') ? text : `${text}/${isV6 ? 128 : 32}`;
  if (network !== text && readAddress(text) === undefined) return fault('this is no IP address');
  const found = networkFault(network);
  if (found !== undefined) return fault(found);
  if (network.includes(':') !== isV6) return fault('only IPv6 stands in brackets');
  if (isWrappingNetwork(network))
    return fault('these addresses are judged as those of IPv4 inside them; write the network as IPv4');
  const kind = specialKindOfNetwork(network);
  if (kind?.canBeAllowed === false) return fault(`an address that is ${kind.name} is never reached`);
  return { value: { kind: 'network', network } };
}

function readName(text: string): Reading<What> {
  if (/[^\x21-\x7e]/.test(text)) {
    const ascii = domainToASCII(text);
    return fault(`a name is written in ASCII${ascii === '' ? '' : `; this one as ${ascii}`}`);
  }
  if (text.endsWith('.')) return fault('a name ends without a dot');
  const labels = text.toLowerCase().split('.');
  const isDeep = labels[0] === '**';
  const named = isDeep ? labels.slice(1) : labels;
  const last = named.at(-1);
  if (last === undefined || last === '*') return fault('wildcards stand before a name, as in *.example.com');
  if (named.includes('**')) return fault('** stands first or not at all, as in **.example.com');
  if (named.some((label) => label.includes('*') && label !== '*')) return fault('a wildcard is a whole label');
  const plain = named.map((label) => (label === '*' ? 'x' : label)).join('.');
  const nameFault = hostFault(plain);
  if (nameFault !== undefined) return fault(nameFault);
  if (last === 'localhost')
    return fault('localhost is the machine itself; write 127.0.0.1 if that of the parent is meant');
  if (/(?:^|\.)xn--/.test(domainToUnicode(plain))) return fault('a label that begins with xn-- is no A-label');
  return { value: { kind: 'name', labels: named, isDeep } };
}

function readWhat(text: string): Reading<What> {
  const bracketed = /^\[([^[\]]*)\]$/.exec(text)?.[1];
  if (bracketed !== undefined) return readNetwork(bracketed, true);
  if (text.includes('[') || text.includes(']') || text.includes(':'))
    return fault('IPv6 stands in brackets, and a port behind them');
  if (text.includes('/') || readAddress(text) !== undefined) return readNetwork(text, false);
  return readName(text);
}

function readRule(text: string): Reading<EgressRule> {
  if (text.includes('://')) return fault('a rule is no URL: it names a host and a port');
  const [, whatText = '', portText] = /^(\[[^\]]*\]|[^:]*)(?::([^:[\]]*))?$/.exec(text) ?? ['', text];
  const what = readWhat(whatText);
  if ('fault' in what) return what;
  const ports = readPorts(portText);
  return 'fault' in ports ? ports : { value: { ...what.value, ...ports.value, text } };
}

/** What is wrong with a rule of a configuration, and what is allowed; undefined when nothing is. */
export function egressRuleFault(text: string): string | undefined {
  const reading = readRule(text);
  return 'fault' in reading ? `${reading.fault}; allowed: ${FORMS}` : undefined;
}

/** @throws EgressError EGRESS_RULE */
export function parseEgressRule(text: string): EgressRule {
  const reading = readRule(text);
  if ('value' in reading) return reading.value;
  throw new EgressError('EGRESS_RULE', `no rule of egress: ${reading.fault}`, { found: text, allowed: FORMS });
}
