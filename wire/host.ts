/**
 * What may stand as the host of an address: a DNS name, or an IP address that a connection can have. Specification: RFC 1123
 * section 2.1 (names; underscores too, which some have), WHATWG URL "ends in a number" (what ends so is an IPv4 address or nothing).
 */
import { isIPv4, isIPv6 } from 'node:net';

const NAME = /^(?=.{1,253}$)(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/i;
const ENDS_IN_NUMBER = /(?:^|\.)(?:\d+|0x[0-9a-f]*)$/i;
/** 224.0.0.0/4 and the broadcast address; ff00::/8. */
const MANY_V4 = /^(?:22[4-9]|23\d)\.|^255\.255\.255\.255$/;
const MANY_V6 = /^ff[0-9a-f]{2}:/i;

/** What is wrong with a host; undefined when nothing is. @param host an IPv6 address stands without brackets */
export function hostFault(host: string): string | undefined {
  const isAddress = isIPv4(host) || isIPv6(host);
  if (MANY_V4.test(host) || (isIPv6(host) && MANY_V6.test(host))) {
    return 'an address of many hosts (multicast, broadcast) has no connections';
  }
  if (isAddress) return undefined;
  if (host.includes(':')) return 'this is no IPv6 address';
  const name = host.replace(/\.$/, '');
  if (ENDS_IN_NUMBER.test(name)) return 'what ends in a number must be an IPv4 address: four numbers up to 255';
  return NAME.test(name) ? undefined : 'a name is made of labels of letters, digits and inner hyphens, at most 63 each';
}
