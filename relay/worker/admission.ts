/** What every accepted connection passes first, before anything is read or dialled: the peer's CID, then the limits (places.ts). */
import { describeErrno } from '../../system/libc/errno.ts';
import type { Peer } from './connection.ts';
import { Connection } from './connection.ts';
import type { Engine, Target } from './engine.ts';
import { SOCKET_EVENTS } from './engine.ts';
import { acceptDenial, countDenial, noteAccepted } from './places.ts';
import { POLICIES } from './policies/policies.ts';
import type { RouteState } from './route-state.ts';

function createConnection(engine: Engine, route: RouteState, fd: number, peer: Peer): Connection {
  const policy = POLICIES[route.spec.preface.kind];
  const connection = new Connection(engine.nextConnectionId(), route, policy, peer, engine.nowMs);
  connection.down.fd = fd;
  route.count('active', 1);
  route.count('pending', 1);
  route.peers.add(connection);
  noteAccepted(connection);
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

/** All clients of a load balancer have its address: they count when it has said who they are. */
function asCounted({ isBalancer }: RouteState, peer: Peer): Peer {
  return peer.source && isBalancer(peer.source.address) ? { ...peer, address: undefined, isBalancer: true } : peer;
}

/** Takes a connection that the route's own listener accepted. */
export function admit(engine: Engine, route: RouteState, fd: number, from: Peer): void {
  const peer = asCounted(route, from);
  const denial = acceptDenial(engine, route, peer);
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

/** Takes a connection over from what watched its descriptor before; acceptDenial was asked already. */
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
