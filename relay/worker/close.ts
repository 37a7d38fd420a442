/** The one way out of a connection: closes both sockets, counts, logs, and tells whoever waits for it. */
import type { LogFields, LogLevel } from '../../runtime/log.ts';
import { close } from '../../system/libc/socket-calls.ts';
import { abortSocket } from '../../system/libc/sockets.ts';
import type { CounterName } from '../counters.ts';
import type { RelayEvent } from '../events.ts';
import type { Connection, Side, Stage } from './connection.ts';
import type { Engine } from './engine.ts';

/**
 * finished: both streams ended; gone: the downstream left before the upstream was there; reset: reading failed; broken:
 * writing failed, and what that peer still had to say was passed on; internal: a defect.
 */
export type CloseReason =
  | 'finished'
  | 'gone'
  | 'reset'
  | 'broken'
  | 'idle'
  | 'cut'
  | 'refused-preface'
  | 'connect-failed'
  | 'internal';

interface Consequence {
  readonly counter: CounterName | undefined;
  readonly event: RelayEvent | undefined;
  readonly level: LogLevel;
}

const CONSEQUENCES: Readonly<Record<CloseReason, Consequence>> = {
  finished: { counter: undefined, event: undefined, level: 'debug' },
  gone: { counter: undefined, event: undefined, level: 'debug' },
  reset: { counter: 'errors', event: 'relay.reset', level: 'info' },
  broken: { counter: 'errors', event: 'relay.reset', level: 'info' },
  idle: { counter: 'idleClosed', event: 'relay.idle-closed', level: 'info' },
  cut: { counter: 'cut', event: undefined, level: 'debug' },
  'refused-preface': { counter: 'refusedPreface', event: 'relay.refused-preface', level: 'warn' },
  'connect-failed': { counter: 'connectFailed', event: 'relay.connect-failed', level: 'warn' },
  internal: { counter: 'errors', event: 'relay.internal-error', level: 'error' },
};

/** The stage of connections that are gone; late events and answers find it. */
const CLOSED: Stage = { name: 'closed', onEvents: () => undefined, onDeadline: () => undefined };

export function isClosed(connection: Connection): boolean {
  return connection.stage === CLOSED;
}

/** Closes one socket, if it is open. `isAborted`: its TCP peer is to see a reset. */
export function closeSide(engine: Engine, side: Side, isAborted: boolean): void {
  side.pending = undefined;
  if (side.fd < 0) return;
  engine.poller.forget(side);
  if (isAborted && side.transport.kind === 'tcp') abortSocket(side.fd);
  else close(side.fd);
  side.fd = -1;
}

function logClose(engine: Engine, connection: Connection, reason: CloseReason, detail: string): void {
  const { event, level } = CONSEQUENCES[reason];
  const { route, cid } = connection;
  const fields: LogFields = {
    connId: connection.id,
    cid,
    reason: detail === '' ? reason : detail,
    durationMs: engine.nowMs - connection.acceptedMs,
  };
  if (event !== undefined) engine.log.limited(level, event, route.label, fields);
  if (engine.log.isTracing) engine.log.always('debug', 'relay.closed', { route: route.label, ...fields });
}

/**
 * Idempotent. On `reset` the sockets are aborted, so that the other peer cannot take a truncated stream for a whole one.
 * @param detail why, in the words of the system or of the policy; '' when the reason says all.
 */
export function closeConnection(engine: Engine, connection: Connection, reason: CloseReason, detail: string): void {
  if (isClosed(connection)) return;
  const { route, handshake } = connection;
  connection.stage = CLOSED;
  if (handshake?.resolving !== undefined) engine.addresses.forget(handshake.resolving, connection);
  engine.deadlines.clear(connection);
  const { counter } = CONSEQUENCES[reason];
  if (counter !== undefined) route.count(counter, 1);
  if (handshake !== undefined) route.count('pending', -1);
  route.count('active', -1);
  closeSide(engine, connection.down, reason === 'reset');
  closeSide(engine, connection.up, reason === 'reset');
  logClose(engine, connection, reason, detail);
  route.drain?.onConnectionClosed(engine);
  engine.gate.onDescriptorsFreed(engine);
}
