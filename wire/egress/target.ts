/**
 * What a program asks to reach, in the one form in which it is judged, told and dialled. Whatever another reader could take for something
 * else (numbers that some take for addresses, escapes, user information) is refused: then no list has to guess.
 * Specification: docs/specs/egress.md, 2; RFC 9110 section 7.1 and RFC 9112 section 3.2 (authority), RFC 3986 section 3.2.2.
 */
import { domainToASCII } from 'node:url';
import { hostFault } from '../host.ts';
import type { EgressAddress } from './address.ts';
import { readAddress } from './address.ts';
import { EgressError } from './errors.ts';

export type EgressTarget = { readonly port: number } & (
  | { readonly kind: 'name'; readonly host: string }
  | { readonly kind: 'address'; readonly host: string; readonly address: EgressAddress }
);

/** A name has at most 253 characters, and a dot behind it. */
export const MAX_HOST_CHARACTERS = 254;
const ALLOWED = 'NAME:PORT, IPV4:PORT or [IPV6]:PORT';
/** Nothing else is told again: it could hold a password. */
const TELLABLE = /^[\w.:[\]-]{1,262}$/;

function bad(why: string, found: string): EgressError {
  return new EgressError('EGRESS_TARGET', `this cannot be reached: ${why}`, {
    allowed: ALLOWED,
    ...(TELLABLE.test(found) ? { found } : {}),
  });
}

/** @param host without brackets. @throws EgressError EGRESS_TARGET */
export function egressTarget(host: string, port: number): EgressTarget {
  if (!Number.isInteger(port) || port < 1 || port > 65_535) throw bad('a port is a number from 1 to 65535', host);
  if (host.length > MAX_HOST_CHARACTERS) throw bad('a name has at most 253 characters', host);
  const address = readAddress(host);
  if (address !== undefined) return { kind: 'address', host: address.text, address, port };
  if (/[^\x21-\x7e]/.test(host)) throw bad(asciiAdvice(host), host);
  const name = host.toLowerCase().replace(/\.$/, '');
  const fault = nameFault(name);
  if (fault !== undefined) throw bad(fault, host);
  return { kind: 'name', host: name, port };
}

/** Addresses have been taken out before: what is still one has a dot or a zone too much. */
function nameFault(name: string): string | undefined {
  if (name.endsWith('.')) return 'a name ends in one dot at most';
  if (name.includes(':')) return 'an IPv6 address has neither zone nor escapes';
  return readAddress(name) === undefined ? hostFault(name) : 'an address has no dot behind it';
}

function asciiAdvice(host: string): string {
  const ascii = domainToASCII(host);
  const isWritable = /^[\x21-\x7e]+$/.test(host) || ascii === '' ? '' : `; this one as ${ascii}`;
  return `a name is written in ASCII, without spaces${isWritable}`;
}

/**
 * `host:port`, as CONNECT and absolute URLs have it.
 * @param defaultPort absent: the port must stand there
 * @throws EgressError EGRESS_TARGET
 */
export function parseAuthority(text: string, defaultPort?: number): EgressTarget {
  if (text.includes('@')) throw bad('user information has no place in it', text);
  const [, v6, plain, digits] = /^(?:\[([^[\]]*)\]|([^:[\]]*))(?::([^:]*))?$/.exec(text) ?? [];
  const host = v6 ?? plain;
  if (host === undefined) throw bad('it is no host with a port; IPv6 stands in brackets', text);
  if (v6 !== undefined && !v6.includes(':')) throw bad('only IPv6 stands in brackets', text);
  if (digits === undefined && defaultPort === undefined) throw bad('the port is missing', text);
  if (digits !== undefined && !/^[1-9]\d{0,4}$/.test(digits)) throw bad('a port is a number from 1 to 65535', text);
  return egressTarget(host, digits === undefined ? (defaultPort ?? 0) : Number(digits));
}
