/**
 * What every accepted connection passes first: the peer's CID, then the limits, before anything is read or dialled.
 *
 * A silent connection (one that has not said yet what it wants) never keeps another out: over a limit the oldest silent one
 * goes, after a last look whether its first bytes have come meanwhile. Whoever floods a route with silence so pushes out
 * himself, and a client that speaks at once gets in. The next to go are connections that were opened and did not become
 * sessions within the time for a preface, the oldest first. Only sessions count against newcomers.
 */
import { describeErrno } from '../../system/libc/errno.ts';
import type { CounterName } from '../counters.ts';
import type { RelayEvent } from '../events.ts';
import type { Peer } from './connection.ts';
import { Connection } from './connection.ts';
import type { Engine, Target } from './engine.ts';
import { SOCKET_EVENTS } from './engine.ts';
import { POLICIES } from './policies/policies.ts';
import type { RouteState } from './route-state.ts';

interface Denial {
  readonly counter: CounterName;
  readonly event: RelayEvent;
  readonly reason: string;
}

const shed = (reason: string): Denial => ({ counter: 'shed', event: 'relay.shed', reason });

/** The oldest silent connection goes, unless it has spoken meanwhile. @returns whether there was one. */
function shedSilent(engine: Engine, route: RouteState, address: string | undefined, limit: string): boolean {
  const oldest = route.peers.silent.oldest(address);
  if (oldest === undefined) return false;
  oldest.lookAgain(engine);
  if (route.peers.silent.has(oldest)) oldest.shed(engine, limit);
  return true;
}

/** The oldest connection goes that was opened and has not become a session in time. @returns whether there was one. */
function shedUnproven(engine: Engine, route: RouteState, address: string | undefined, limit: string): boolean {
  const { unproven } = route.peers;
  let oldest = unproven.oldest(address);
  for (; oldest?.isProven; oldest = unproven.oldest(address)) unproven.delete(oldest);
  if (oldest === undefined || engine.nowMs - oldest.acceptedMs < route.limits.prefaceTimeoutMs) return false;
  oldest.shed(engine, limit);
  return true;
}

/** Sheds connections, of one address or of all, until there is room. @returns whether there is. */
function makeRoom(
  engine: Engine,
  route: RouteState,
  limit: { readonly isReached: () => boolean; readonly address?: string; readonly reason: string },
): boolean {
  while (limit.isReached()) {
    const { address, reason } = limit;
    if (shedSilent(engine, route, address, reason)) continue;
    if (!shedUnproven(engine, route, address, reason)) return false;
  }
  return true;
}

function denialByAddress(engine: Engine, route: RouteState, address: string): Denial | undefined {
  const { peers, limits } = route;
  const { maxConnectionsPerAddress, maxSilentPerAddress } = limits;
  if (maxConnectionsPerAddress !== undefined) {
    const isReached = () => peers.connectionsOf(address) >= maxConnectionsPerAddress;
    const reason = 'maxConnectionsPerAddress';
    if (!makeRoom(engine, route, { isReached, address, reason })) return shed(reason);
  }
  if (maxSilentPerAddress !== undefined) {
    while (peers.silent.countOf(address) >= maxSilentPerAddress) {
      shedSilent(engine, route, address, 'maxSilentPerAddress');
    }
  }
  return undefined;
}

/** Why a connection can't be taken now, or undefined; makes room for it. Counts it as accepted by the listener either way. */
export function denialOf(engine: Engine, route: RouteState, { cid, address }: Peer): Denial | undefined {
  const { allowedCids, limits } = route;
  route.count('accepted', 1);
  if (allowedCids !== undefined && (cid === undefined || !allowedCids.has(cid))) {
    return { counter: 'refusedCid', event: 'relay.refused-cid', reason: 'cid' };
  }
  const denial = address === undefined ? undefined : denialByAddress(engine, route, address);
  if (denial !== undefined) return denial;
  const isHouseFull = () => route.active >= limits.maxConnections;
  if (!makeRoom(engine, route, { isReached: isHouseFull, reason: 'maxConnections' })) return shed('maxConnections');
  const isHallFull = () => route.pending >= limits.maxPending;
  return makeRoom(engine, route, { isReached: isHallFull, reason: 'maxPending' }) ? undefined : shed('maxPending');
}

export function countDenial(engine: Engine, route: RouteState, { cid, address }: Peer, denial: Denial): void {
  route.count(denial.counter, 1);
  if (denial.counter === 'shed') route.count('unopenedShed', 1);
  engine.log.limited('warn', denial.event, route.label, { cid, address, reason: denial.reason });
}

function createConnection(engine: Engine, route: RouteState, fd: number, peer: Peer): Connection {
  const policy = POLICIES[route.spec.preface.kind];
  const connection = new Connection(engine.nextConnectionId(), route, policy, peer, engine.nowMs);
  connection.down.fd = fd;
  route.count('active', 1);
  route.count('pending', 1);
  route.peers.add(connection);
  return connection;
}

/** Starts the route's policy; what it throws ends this connection only. */
function start(engine: Engine, connection: Connection): void {
  try {
    connection.policy.start(engine, connection);
  } catch (error) {
    connection.abandon(engine, error);
  }
}

/** Takes a connection that the route's own listener accepted. */
export function admit(engine: Engine, route: RouteState, fd: number, peer: Peer): void {
  const denial = denialOf(engine, route, peer);
  if (denial !== undefined) {
    countDenial(engine, route, peer, denial);
    engine.sockets.close(fd);
    return;
  }
  const connection = createConnection(engine, route, fd, peer);
  const errno = engine.poller.add(connection.down, SOCKET_EVENTS);
  if (errno !== 0) connection.close(engine, 'internal', describeErrno(errno));
  else start(engine, connection);
}

/** Takes a connection over from what watched its descriptor before; denialOf was asked already. */
export function takeOver(
  engine: Engine,
  route: RouteState,
  from: Target & { readonly isHungUp: boolean },
  peer: Peer,
): void {
  const connection = createConnection(engine, route, from.fd, peer);
  connection.down.isHungUp = from.isHungUp;
  engine.poller.handOver(from, connection.down);
  start(engine, connection);
}
