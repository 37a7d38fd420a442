/** What every accepted connection passes first: the peer's CID, then the limits, before anything is read or dialled. */

import { describeErrno } from '../../system/libc/errno.ts';
import { close } from '../../system/libc/socket-calls.ts';
import type { Cid } from '../../wire/brands.ts';
import type { CounterName } from '../counters.ts';
import type { RelayEvent } from '../events.ts';
import { closeConnection } from './close.ts';
import { Connection } from './connection.ts';
import { DIALLING, SOCKET_EVENTS } from './dial.ts';
import type { Engine, Target } from './engine.ts';
import type { RouteState } from './route-state.ts';

interface Denial {
  readonly counter: CounterName;
  readonly event: RelayEvent;
  readonly reason: string;
}

/** Why a connection from `cid` can't be taken now, or undefined. Counts it as accepted by the listener either way. */
export function denialOf(route: RouteState, cid: Cid | undefined): Denial | undefined {
  const { allowedCids, limits } = route;
  route.count('accepted', 1);
  if (allowedCids !== undefined && (cid === undefined || !allowedCids.has(cid))) {
    return { counter: 'refusedCid', event: 'relay.refused-cid', reason: 'cid' };
  }
  if (route.active >= limits.maxConnections) {
    return { counter: 'shed', event: 'relay.shed', reason: 'maxConnections' };
  }
  return route.pending >= limits.maxPending
    ? { counter: 'shed', event: 'relay.shed', reason: 'maxPending' }
    : undefined;
}

export function countDenial(engine: Engine, route: RouteState, cid: Cid | undefined, denial: Denial): void {
  route.count(denial.counter, 1);
  engine.log.limited('warn', denial.event, route.label, { cid, reason: denial.reason });
}

function createConnection(engine: Engine, route: RouteState, fd: number, cid: Cid | undefined): Connection {
  const connection = new Connection(engine.nextConnectionId(), route, cid, DIALLING, engine.nowMs);
  connection.down.fd = fd;
  route.count('active', 1);
  route.count('pending', 1);
  return connection;
}

/** Starts the route's policy; what it throws ends this connection only. */
function start(engine: Engine, connection: Connection): void {
  try {
    connection.route.policy.start(engine, connection);
  } catch (error) {
    connection.abandon(engine, error);
  }
}

/** Takes a connection that the route's own listener accepted. */
export function admit(engine: Engine, route: RouteState, fd: number, cid: Cid | undefined): void {
  const denial = denialOf(route, cid);
  if (denial !== undefined) {
    countDenial(engine, route, cid, denial);
    close(fd);
    return;
  }
  const connection = createConnection(engine, route, fd, cid);
  const errno = engine.poller.add(connection.down, SOCKET_EVENTS);
  if (errno !== 0) closeConnection(engine, connection, 'internal', describeErrno(errno));
  else start(engine, connection);
}

/** Takes a connection over from what watched its descriptor before; denialOf was asked already. */
export function takeOver(
  engine: Engine,
  route: RouteState,
  from: Target & { readonly isHungUp: boolean },
  cid: Cid | undefined,
): void {
  const connection = createConnection(engine, route, from.fd, cid);
  connection.down.isHungUp = from.isHungUp;
  engine.poller.handOver(from, connection.down);
  start(engine, connection);
}
