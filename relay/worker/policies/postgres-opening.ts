/**
 * A PostgreSQL client in front of an enclave: its first eight bytes decide whether the upstream is dialled at all, and stay
 * where they are, so that they are passed on unchanged. Eight are all that a client sends before it waits for an answer
 * (SSLRequest, GSSENCRequest), and until they are here the connection is silent and holds no place (places.ts).
 * This keeps noise off the upstream. Who may have a session, and in what form, is decided behind it.
 */
import { classifyOpening, encodeErrorResponse, OPENING_BYTES } from '../../../postgres/start-up.ts';
import { EPOLLIN } from '../../../system/libc/socket-constants.ts';
import type { Connection, Policy, Stage } from '../connection.ts';
import { dial } from '../dial.ts';
import type { Engine } from '../engine.ts';
import { takePlace } from '../places.ts';
import { openConnection } from '../pump.ts';
import { peek, sendLastWords } from '../small-io.ts';

function refuse(engine: Engine, connection: Connection, reason: 'not-postgres' | 'time-out'): void {
  sendLastWords(engine, connection.down, encodeErrorResponse(reason));
  connection.close(engine, 'refused-preface', reason);
}

const OPENING: Stage = {
  name: 'postgres-opening',
  isSilent: true,
  onEvents(engine, { connection }) {
    const { down } = connection;
    const { bytes, end } = peek(engine, down, OPENING_BYTES);
    const verdict = classifyOpening(bytes);
    if (verdict === 'plausible') {
      if (takePlace(engine, connection)) dial(engine, connection, connection.route.upstream);
    } else if (verdict === 'not-postgres') refuse(engine, connection, verdict);
    // A peek at too few bytes shows no end behind them; the hang-up does (K14).
    else if (end !== undefined || down.isHungUp) connection.close(engine, 'gone', end ?? '');
  },
  onDeadline: (engine, connection) => refuse(engine, connection, 'time-out'),
};

export const POSTGRES_OPENING: Policy = {
  start(engine, connection) {
    connection.enter(engine, OPENING, engine.nowMs + connection.route.limits.prefaceTimeoutMs);
    OPENING.onEvents(engine, connection.down, EPOLLIN);
  },
  connected(engine, connection) {
    connection.route.peers.unproven.add(connection);
    openConnection(engine, connection, Buffer.alloc(0));
  },
  notConnected: () => undefined,
};
