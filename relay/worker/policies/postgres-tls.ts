/**
 * PostgreSQL with TLS, end to end through the relay: startup packet, dial, the server's one-byte answer, first TLS record.
 * Not one byte of a session in clear passes, in either direction.
 */

import {
  checkTlsAnswer,
  classifyStartup,
  encodeErrorResponse,
  isTlsHandshake,
  MAX_STARTUP_BYTES,
  type PostgresRefusal,
  TLS_ANSWERS,
} from '../../../postgres/start-up.ts';
import { EPOLLIN } from '../../../system/libc/socket-constants.ts';
import type { Connection, Handshake, Policy, Side, Stage } from '../connection.ts';
import { dial } from '../dial.ts';
import type { Engine } from '../engine.ts';
import { openConnection } from '../pump.ts';
import { peek, read, sendLastWords, sendWhole } from '../small-io.ts';
import { proxyHeaderStage } from './proxy-header.ts';

const GSS_NOT_OFFERED = Buffer.of(TLS_ANSWERS.refused);
const NOTHING = Buffer.alloc(0);

function refuse(engine: Engine, connection: Connection, reason: PostgresRefusal): void {
  sendLastWords(engine, connection.down, encodeErrorResponse(reason));
  connection.close(engine, 'refused-preface', reason);
}

function enter(engine: Engine, connection: Connection, stage: Stage): void {
  connection.enter(engine, stage, engine.nowMs + connection.route.limits.prefaceTimeoutMs);
}

/** @returns whether the packet was accepted and more is to be read. */
function answerGss(engine: Engine, connection: Connection, handshake: Handshake): boolean {
  if (handshake.isGssAnswered) {
    refuse(engine, connection, 'second-gss-request');
    return false;
  }
  handshake.isGssAnswered = true;
  handshake.bytes = NOTHING;
  return sendWhole(engine, connection.down, GSS_NOT_OFFERED);
}

function readStartup(engine: Engine, connection: Connection, handshake: Handshake): void {
  const { bytes, end } = read(engine, connection.down, MAX_STARTUP_BYTES - handshake.bytes.length);
  handshake.bytes = Buffer.concat([handshake.bytes, bytes]);
  const verdict = classifyStartup(handshake.bytes);
  if (verdict.kind === 'refused') refuse(engine, connection, verdict.reason);
  else if (verdict.kind === 'gss-request') {
    if (answerGss(engine, connection, handshake)) readStartup(engine, connection, handshake);
  } else if (verdict.kind === 'more') {
    if (end !== undefined) connection.close(engine, 'gone', end);
    else if (bytes.length > 0) readStartup(engine, connection, handshake);
  } else dial(engine, connection, connection.route.upstream);
}

const STARTUP: Stage = {
  name: 'postgres-startup',
  onEvents(engine, { connection }) {
    if (connection.handshake !== undefined) readStartup(engine, connection, connection.handshake);
  },
  onDeadline: (engine, connection) => refuse(engine, connection, 'time-out'),
};

/** The downstream must be silent: ends the connection if it is not. @returns whether it is. */
function isSilent(engine: Engine, connection: Connection, reason: PostgresRefusal): boolean {
  const { bytes, end } = peek(engine, connection.down, 1);
  if (bytes.length > 0) refuse(engine, connection, reason);
  else if (end !== undefined) connection.close(engine, 'gone', end);
  return bytes.length === 0 && end === undefined;
}

function readTlsAnswer(engine: Engine, connection: Connection): void {
  const { bytes, end } = read(engine, connection.up, 2);
  if (bytes.length === 0) {
    if (end !== undefined) connection.close(engine, 'connect-failed', `no answer from the server: ${end}`);
    return;
  }
  const reason = checkTlsAnswer(bytes);
  if (reason !== undefined) {
    refuse(engine, connection, reason);
    return;
  }
  if (!isSilent(engine, connection, 'bytes-behind-request')) return;
  enter(engine, connection, FIRST_RECORD);
  connection.route.count('bytesDown', 1);
  if (!sendWhole(engine, connection.down, bytes)) connection.close(engine, 'gone', '');
}

const TLS_ANSWER: Stage = {
  name: 'postgres-answer',
  onEvents(engine, side) {
    if (side.isDown) isSilent(engine, side.connection, 'bytes-behind-request');
    else readTlsAnswer(engine, side.connection);
  },
  onDeadline: (engine, connection) => connection.close(engine, 'connect-failed', 'no answer from the server'),
};

function onFirstRecord(engine: Engine, side: Side): void {
  const { connection } = side;
  const { bytes, end } = peek(engine, side, 1);
  if (bytes.length === 0) {
    if (end !== undefined) connection.close(engine, 'gone', end);
  } else if (!side.isDown) refuse(engine, connection, 'upstream-speaks-first');
  else if (isTlsHandshake(bytes[0] ?? 0)) openConnection(engine, connection, NOTHING);
  else refuse(engine, connection, 'no-tls-after-answer');
}

/** `S` was passed on; the downstream has to begin the handshake, and the server to wait for it. */
const FIRST_RECORD: Stage = {
  name: 'postgres-first-record',
  onEvents: (engine, side) => onFirstRecord(engine, side),
  onDeadline: (engine, connection) => refuse(engine, connection, 'no-tls-after-answer'),
};

/** A CancelRequest was passed on; neither end has anything to say any more, and the server closes. */
const CANCEL_SENT: Stage = {
  name: 'postgres-cancel',
  onEvents(engine, side) {
    const { connection } = side;
    const { bytes, end } = peek(engine, side, 1);
    if (bytes.length > 0) refuse(engine, connection, 'bytes-behind-cancel');
    else if (end !== undefined && side.isDown) engine.sockets.endWriting(connection.up.fd);
    else if (end !== undefined) connection.close(engine, 'finished', '');
  },
  onDeadline: (engine, connection) => connection.close(engine, 'idle', ''),
};

/** A client may close right behind its CancelRequest; the request counts all the same. */
function passCancel(engine: Engine, connection: Connection, request: Buffer): void {
  if (peek(engine, connection.down, 1).bytes.length > 0) {
    refuse(engine, connection, 'bytes-behind-cancel');
    return;
  }
  enter(engine, connection, CANCEL_SENT);
  passRequest(engine, connection, request);
  connection.stage.onEvents(engine, connection.down, EPOLLIN);
}

function passRequest(engine: Engine, connection: Connection, request: Buffer): void {
  connection.route.count('bytesUp', request.length);
  if (sendWhole(engine, connection.up, request)) connection.stage.onEvents(engine, connection.up, EPOLLIN);
  else connection.close(engine, 'connect-failed', 'the server took no request');
}

function begin(engine: Engine, connection: Connection, stage: Stage): void {
  enter(engine, connection, stage);
  stage.onEvents(engine, connection.down, EPOLLIN);
}

/** Whose connection it is nobody here asks. */
const SOURCE_HEADER = proxyHeaderStage({
  onHeader: (engine, connection) => begin(engine, connection, STARTUP),
  refuse,
});

export const POSTGRES_TLS: Policy = {
  start(engine, connection) {
    const { preface } = connection.route.spec;
    const takesSource = preface.kind === 'postgres-tls' && preface.takesSource === true;
    begin(engine, connection, takesSource ? SOURCE_HEADER : STARTUP);
  },
  connected(engine, connection) {
    const request = connection.handshake?.bytes ?? NOTHING;
    if (classifyStartup(request).kind === 'cancel-request') passCancel(engine, connection, request);
    else if (isSilent(engine, connection, 'bytes-behind-request')) {
      enter(engine, connection, TLS_ANSWER);
      passRequest(engine, connection, request);
    }
  },
  notConnected: () => undefined,
};
