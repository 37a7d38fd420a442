/**
 * A PostgreSQL client in front of an enclave: its first eight bytes decide whether the upstream is dialled at all, and stay
 * where they are, so that they are passed on unchanged. Eight are all that a client sends before it waits for an answer
 * (SSLRequest, GSSENCRequest), and until they are here the connection is silent and holds no place (places.ts).
 * This keeps noise off the upstream. Who may have a session, and in what form, is decided behind it. A load balancer says first
 * whose connection it is; what stands in front of anybody else's first bytes is no header but noise.
 */
import { classifyOpening, encodeErrorResponse, OPENING_BYTES } from '../../../postgres/start-up.ts';
import { EPOLLIN } from '../../../system/libc/socket-constants.ts';
import { encodeProxyHeader, looksLikeProxyHeader } from '../../../wire/proxy-protocol.ts';
import type { Connection, Peer, Policy, Stage } from '../connection.ts';
import { dial } from '../dial.ts';
import type { Engine } from '../engine.ts';
import { peerFrom } from '../peer-address.ts';
import { boundSilenceOf, takePlace } from '../places.ts';
import { openConnection } from '../pump.ts';
import { peek, sendLastWords } from '../small-io.ts';
import { proxyHeaderStage } from './proxy-header.ts';

type Refusal = 'not-postgres' | 'time-out' | 'no-proxy-header' | 'unexpected-proxy-header';

function refuse(engine: Engine, connection: Connection, reason: Refusal): void {
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
    } else if (verdict === 'not-postgres') {
      refuse(engine, connection, looksLikeProxyHeader(bytes) ? 'unexpected-proxy-header' : verdict);
    }
    // A peek at too few bytes shows no end behind them; the hang-up does (K14).
    else if (end !== undefined || down.isHungUp) connection.close(engine, 'gone', end ?? '');
  },
  onDeadline: (engine, connection) => refuse(engine, connection, 'time-out'),
};

/** @param peer who speaks now: a load balancer itself, or whom it connects for */
function awaitOpening(engine: Engine, connection: Connection, peer: Peer): void {
  const { limits } = connection.route;
  connection.enter(engine, OPENING, engine.nowMs + limits.prefaceTimeoutMs, peer);
  OPENING.onEvents(engine, connection.down, EPOLLIN);
}

const BALANCER_HEADER = proxyHeaderStage({
  isSilent: true,
  onHeader(engine, connection, header) {
    const peer = peerFrom(header.kind === 'proxied' ? header.source : connection.peer.source);
    if (peer.address !== undefined) boundSilenceOf(engine, connection.route, peer.address);
    awaitOpening(engine, connection, peer);
  },
  refuse,
});

export const POSTGRES_OPENING: Policy = {
  start(engine, connection) {
    const { peer, route } = connection;
    if (peer.isBalancer !== true) {
      awaitOpening(engine, connection, peer);
      return;
    }
    connection.enter(engine, BALANCER_HEADER, engine.nowMs + route.limits.prefaceTimeoutMs);
    BALANCER_HEADER.onEvents(engine, connection.down, EPOLLIN);
  },
  connected(engine, connection) {
    const { peer, route } = connection;
    const { preface } = route.spec;
    const isTold = preface.kind === 'postgres-opening' && preface.tellsSource === true;
    openConnection(engine, connection, isTold ? encodeProxyHeader(peer.source) : Buffer.alloc(0));
  },
  notConnected: () => undefined,
};
