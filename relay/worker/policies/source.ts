/**
 * Whose connection it is, for routes of any protocol (decision 18). Nothing is known of what clients say, or who speaks first, so that
 * the upstream is dialled at once; only a load balancer is waited for, until it has said for whom it connects. Whoever is refused gets no
 * word: there is none that any client would understand.
 *
 *   client ─▶ `tells-source`: on the parent, writes the header ─▶ vsock ─▶ `takes-source`: in the enclave, takes it off, or writes it anew
 */
import { EPOLLIN } from '../../../system/libc/socket-constants.ts';
import { encodeProxyHeader } from '../../../wire/proxy-protocol.ts';
import type { Connection, Policy, Stage } from '../connection.ts';
import { dial } from '../dial.ts';
import type { Engine } from '../engine.ts';
import { peerFrom } from '../peer-address.ts';
import { boundSilenceOf, takePlace } from '../places.ts';
import { openConnection } from '../pump.ts';
import { proxyHeaderStage } from './proxy-header.ts';

function refuse(engine: Engine, connection: Connection, reason: string): void {
  connection.close(engine, 'refused-preface', reason);
}

function awaitHeader(engine: Engine, connection: Connection, header: Stage): void {
  connection.enter(engine, header, engine.nowMs + connection.route.limits.prefaceTimeoutMs);
  header.onEvents(engine, connection.down, EPOLLIN);
}

const BALANCER_HEADER = proxyHeaderStage({
  isSilent: true,
  onHeader(engine, connection, header) {
    const peer = peerFrom(header.kind === 'proxied' ? header.source : connection.peer.source);
    if (peer.address !== undefined) boundSilenceOf(engine, connection.route, peer.address);
    connection.countsFor(peer);
    if (takePlace(engine, connection)) dial(engine, connection, connection.route.upstream);
  },
  refuse,
});

export const TELLS_SOURCE: Policy = {
  start(engine, connection) {
    if (connection.peer.isBalancer === true) awaitHeader(engine, connection, BALANCER_HEADER);
    else dial(engine, connection, connection.route.upstream);
  },
  connected: (engine, connection) => openConnection(engine, connection, encodeProxyHeader(connection.peer.source)),
  notConnected: () => undefined,
};

/** What the parent says stands in logs; limits by address are not the relay's in here. */
const PARENT_HEADER = proxyHeaderStage({
  onHeader(engine, connection, header) {
    const source = header.kind === 'proxied' ? header.source : undefined;
    connection.countsFor({ ...connection.peer, source });
    dial(engine, connection, connection.route.upstream);
  },
  refuse,
});

export const TAKES_SOURCE: Policy = {
  start: (engine, connection) => awaitHeader(engine, connection, PARENT_HEADER),
  connected(engine, connection) {
    const { peer, route } = connection;
    const { preface } = route.spec;
    const isPassedOn = preface.kind === 'takes-source' && preface.isPassedOn;
    openConnection(engine, connection, isPassedOn ? encodeProxyHeader(peer.source) : Buffer.alloc(0));
  },
  notConnected: () => undefined,
};
