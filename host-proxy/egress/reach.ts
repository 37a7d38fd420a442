/**
 * The parent's half of the way to a target: its own list, then the addresses of the name, each judged, and then a connection to one that was
 * judged, which is the one that is dialled: no name is resolved twice. Specification: docs/specs/egress.md, 3.
 */
import { interleaveFamilies } from '../../relay/address-order.ts';
import { isFinalFailure, type ResolvedAddress, type Resolver } from '../../relay/resolver.ts';
import type { Clock } from '../../runtime/clock.ts';
import { readAddress } from '../../wire/egress/address.ts';
import { EgressError } from '../../wire/egress/errors.ts';
import { type EgressList, type EgressRefusal, judgeAddress, judgeTarget } from '../../wire/egress/judge.ts';
import { refusalError } from '../../wire/egress/refusal.ts';
import type { EgressTarget } from '../../wire/egress/target.ts';
import { type Connected, dialFirst } from './dial.ts';

/** Of one name; what is more is not tried. */
const MAX_ADDRESSES = 16;

export interface HostReachDeps {
  readonly list: EgressList;
  readonly resolver: Resolver;
  readonly clock: Clock;
}

/** @throws EgressError; the signal's reason */
export async function reachTarget(deps: HostReachDeps, target: EgressTarget, signal: AbortSignal): Promise<Connected> {
  const verdict = judgeTarget(deps.list, target);
  if (verdict.kind === 'refused') throw refusalError('host', target, verdict);
  const addresses =
    target.kind === 'address'
      ? [{ family: target.address.family, address: target.address.text }]
      : await allowedAddresses(deps, target, signal);
  return dialFirst(interleaveFamilies(addresses), target.port, deps.clock, signal);
}

/** @throws EgressError EGRESS_UNRESOLVED, EGRESS_ADDRESS, EGRESS_HOST_DENIED */
async function allowedAddresses(
  deps: HostReachDeps,
  target: EgressTarget,
  signal: AbortSignal,
): Promise<readonly ResolvedAddress[]> {
  const resolved = await addressesOf(deps.resolver, target.host, signal);
  const allowed: ResolvedAddress[] = [];
  let refused: { readonly refusal: EgressRefusal; readonly address: string } | undefined;
  for (const { address: text } of resolved.slice(0, MAX_ADDRESSES)) {
    const address = readAddress(text);
    // One with a zone, of the link: nothing that a name should lead to.
    if (address === undefined) continue;
    const refusal = judgeAddress(deps.list, address, target.port);
    if (refusal === undefined) allowed.push({ family: address.family, address: address.text });
    else refused ??= { refusal, address: text };
  }
  if (allowed.length > 0) return allowed;
  if (refused !== undefined) throw refusalError('host', target, refused.refusal, refused.address);
  throw new EgressError('EGRESS_UNRESOLVED', 'the name has no address that could be reached', { found: target.host });
}

async function addressesOf(resolver: Resolver, host: string, signal: AbortSignal): Promise<readonly ResolvedAddress[]> {
  try {
    return (await resolver.resolve(host, signal)).addresses;
  } catch (cause) {
    signal.throwIfAborted();
    const why = isFinalFailure(cause) ? 'the name has no address' : 'the name could not be resolved';
    throw new EgressError('EGRESS_UNRESOLVED', why, { found: host, cause });
  }
}
