/** HTTP CONNECT: the request names the upstream, if the route allows it. */
import {
  encodeRefusal,
  type HttpRefusal,
  isAllowed,
  MAX_CONNECT_HEAD_BYTES,
  parseConnectRequest,
  TUNNEL_OPEN,
} from '../../preface/http-connect.ts';
import type { Authority } from '../../route.ts';
import { closeConnection } from '../close.ts';
import type { Connection, Handshake, Stage } from '../connection.ts';
import { dial } from '../dial.ts';
import type { Engine } from '../engine.ts';
import { openConnection } from '../pump.ts';
import type { Policy } from '../route-state.ts';
import { read, sendLastWords, sendWhole } from '../small-io.ts';
import { tcpUpstream } from '../upstream.ts';

function refuse(engine: Engine, connection: Connection, reason: HttpRefusal): void {
  sendLastWords(engine, connection.down, encodeRefusal(reason));
  closeConnection(engine, connection, 'refused-preface', reason);
}

function readRequest(engine: Engine, connection: Connection, handshake: Handshake, allow: readonly Authority[]): void {
  const { bytes, end } = read(engine, connection.down, MAX_CONNECT_HEAD_BYTES - handshake.bytes.length);
  handshake.bytes = Buffer.concat([handshake.bytes, bytes]);
  const request = parseConnectRequest(handshake.bytes);
  if (request.kind === 'refused') refuse(engine, connection, request.reason);
  else if (request.kind === 'more') {
    if (end !== undefined) closeConnection(engine, connection, 'gone', end);
    else if (bytes.length > 0) readRequest(engine, connection, handshake, allow);
  } else if (isAllowed(request.authority, allow)) {
    handshake.bytes = handshake.bytes.subarray(request.length);
    dial(engine, connection, tcpUpstream(request.authority.host, request.authority.port));
  } else refuse(engine, connection, 'not-allowed');
}

/** @param allow the authorities that may be named. */
export function httpConnect(allow: readonly Authority[]): Policy {
  const request: Stage = {
    name: 'http-request',
    onEvents(engine, side) {
      const { connection } = side;
      if (connection.handshake !== undefined) readRequest(engine, connection, connection.handshake, allow);
    },
    onDeadline: (engine, connection) => refuse(engine, connection, 'time-out'),
  };
  return {
    start(engine, connection) {
      connection.stage = request;
      engine.deadlines.set(connection, engine.nowMs + connection.route.limits.prefaceTimeoutMs);
      request.onEvents(engine, connection.down, 0);
    },
    connected(engine, connection) {
      if (sendWhole(engine, connection.down, TUNNEL_OPEN)) {
        openConnection(engine, connection, connection.handshake?.bytes ?? Buffer.alloc(0));
      } else closeConnection(engine, connection, 'gone', '');
    },
    notConnected(engine, connection, hasTimedOut) {
      sendLastWords(engine, connection.down, encodeRefusal(hasTimedOut ? 'upstream-time-out' : 'unreachable'));
    },
  };
}
