/** HTTP CONNECT: the request names the upstream, if the route allows it. */

import { EPOLLIN } from '../../../system/libc/socket-constants.ts';
import {
  encodeRefusal,
  type HttpRefusal,
  isAllowed,
  MAX_CONNECT_HEAD_BYTES,
  parseConnectRequest,
  TUNNEL_OPEN,
} from '../../preface/http-connect.ts';
import type { Authority } from '../../route.ts';
import type { Connection, Handshake, Policy, Stage } from '../connection.ts';
import { dial } from '../dial.ts';
import type { Engine } from '../engine.ts';
import { openConnection } from '../pump.ts';
import type { RouteState } from '../route-state.ts';
import { read, sendLastWords, sendWhole } from '../small-io.ts';
import { tcpUpstream } from '../upstream.ts';

function refuse(engine: Engine, connection: Connection, reason: HttpRefusal): void {
  sendLastWords(engine, connection.down, encodeRefusal(reason));
  connection.close(engine, 'refused-preface', reason);
}

function allowOf({ spec }: RouteState): readonly Authority[] {
  return spec.preface.kind === 'http-connect' ? spec.preface.allow : [];
}

function readRequest(engine: Engine, connection: Connection, handshake: Handshake): void {
  const { bytes, end } = read(engine, connection.down, MAX_CONNECT_HEAD_BYTES - handshake.bytes.length);
  handshake.bytes = Buffer.concat([handshake.bytes, bytes]);
  const request = parseConnectRequest(handshake.bytes);
  if (request.kind === 'refused') refuse(engine, connection, request.reason);
  else if (request.kind === 'more') {
    if (end !== undefined) connection.close(engine, 'gone', end);
    else if (bytes.length > 0) readRequest(engine, connection, handshake);
  } else if (isAllowed(request.authority, allowOf(connection.route))) {
    handshake.bytes = handshake.bytes.subarray(request.length);
    dial(engine, connection, tcpUpstream(request.authority.host, request.authority.port));
  } else refuse(engine, connection, 'not-allowed');
}

const REQUEST: Stage = {
  name: 'http-request',
  onEvents(engine, { connection }) {
    if (connection.handshake !== undefined) readRequest(engine, connection, connection.handshake);
  },
  onDeadline: (engine, connection) => refuse(engine, connection, 'time-out'),
};

export const HTTP_CONNECT: Policy = {
  start(engine, connection) {
    connection.enter(engine, REQUEST, engine.nowMs + connection.route.limits.prefaceTimeoutMs);
    REQUEST.onEvents(engine, connection.down, EPOLLIN);
  },
  connected(engine, connection) {
    if (sendWhole(engine, connection.down, TUNNEL_OPEN)) {
      openConnection(engine, connection, connection.handshake?.bytes ?? Buffer.alloc(0));
    } else connection.close(engine, 'gone', '');
  },
  notConnected(engine, connection, hasTimedOut) {
    sendLastWords(engine, connection.down, encodeRefusal(hasTimedOut ? 'upstream-time-out' : 'unreachable'));
  },
};
