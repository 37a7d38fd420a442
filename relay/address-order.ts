/** Order in which the addresses of a name are tried: families take turns, IPv6 first. Source: RFC 8305 section 4. */
import type { ResolvedAddress } from './resolver.ts';

/** Keeps the resolver's order within each family. */
export function interleaveFamilies(addresses: readonly ResolvedAddress[]): ResolvedAddress[] {
  const six = addresses.filter(({ family }) => family === 6);
  const four = addresses.filter(({ family }) => family === 4);
  const turns = Array.from({ length: Math.max(six.length, four.length) }, (_, turn) => [six[turn], four[turn]]);
  return turns.flat().filter((address) => address !== undefined);
}
