/**
 * Who gets a place on a route. At accept only what costs little is looked at; on a route whose preface waits for the client to
 * speak, the place is given when it has spoken.
 *
 * A silent connection (one that has not said yet what it wants) so holds no place, costs a descriptor, and never keeps another
 * out: over a limit of silent ones the oldest goes, after a last look whether its first bytes have come meanwhile. Whoever
 * floods a route with silence pushes out himself. For want of a place one goes that has not become a session: the oldest of the
 * address that has most of these, where the newcomer's has none, or fewer even with him; else the oldest of all, when it had the time
 * for a preface. So whoever comes from many addresses takes no place from one that comes from few, and only sessions count against
 * newcomers. Of a protocol that nobody reads here (`tells-source`) nobody knows what is late: there nobody goes for that.
 */
import { encodeErrorResponse } from '../../postgres/start-up.ts';
import type { CounterName } from '../counters.ts';
import type { RelayEvent } from '../events.ts';
import type { Connection, Peer } from './connection.ts';
import type { Engine } from './engine.ts';
import type { RouteState, Sheddable } from './route-state.ts';
import { sendLastWords } from './small-io.ts';

/**
 * Of a server: its certificate, which is longer. Of a client behind that: its own certificate and its first query, which are longer too;
 * whoever only says a whole ClientHello says nothing more. Who shows no certificate and goes on is the server's matter, which has then seen it.
 */
const MIN_PROOF_BYTES = 512;
/** Of a protocol that nobody reads: a client goes on behind an answer, which is longer than what a hybrid socket says of itself. */
const ANY_PROOF = { answerBytes: 64, behindBytes: 1 } as const;

function proofOf({ spec }: RouteState): { readonly answerBytes: number; readonly behindBytes: number } {
  return isRead(spec) ? { answerBytes: MIN_PROOF_BYTES, behindBytes: MIN_PROOF_BYTES } : ANY_PROOF;
}

function isRead({ preface }: RouteState['spec']): boolean {
  return preface.kind !== 'tells-source';
}

export interface Denial {
  readonly counter: CounterName;
  readonly event: RelayEvent;
  readonly reason: string;
}

const shed = (reason: string): Denial => ({ counter: 'shed', event: 'relay.shed', reason });

/** The oldest silent connection, of one address or of all, goes unless it has spoken meanwhile. */
function shedSilent(engine: Engine, route: RouteState, address: string | undefined, limit: string): void {
  const { silent } = route.peers;
  const oldest = address === undefined ? silent.oldest() : silent.oldestOf(address);
  if (oldest === undefined) return;
  oldest.lookAgain(engine);
  if (silent.has(oldest)) oldest.shed(engine, limit);
}

/** Ends a connection that had the time for a preface, and is no session. @returns whether it was one */
function shedLate(engine: Engine, route: RouteState, oldest: Sheddable | undefined, limit: string): boolean {
  const isLate = oldest !== undefined && engine.nowMs - oldest.acceptedMs >= route.limits.prefaceTimeoutMs;
  if (!isLate || !isRead(route.spec)) return false;
  oldest.shed(engine, limit);
  return true;
}

/**
 * Ends a connection of whoever has most that are no sessions, for an address that has none, or has fewer even with one more; between two
 * that have as many a place would only go back and forth, and each time be served anew. Else one that is late. @returns whether there was one
 */
function shedUnproven(engine: Engine, route: RouteState, address: string | undefined, limit: string): boolean {
  const { unproven } = route.peers;
  const { busiest } = unproven;
  const own = unproven.countOf(address);
  const isGreedy = address !== undefined && busiest !== undefined && (own === 0 || busiest.count > own + 1);
  if (!isGreedy) return shedLate(engine, route, unproven.oldest(), limit);
  unproven.oldestOf(busiest.whose)?.shed(engine, limit);
  return true;
}

/** The same for one more of this address. */
export function boundSilenceOf(engine: Engine, route: RouteState, address: string): void {
  const { peers, limits } = route;
  const { maxSilentPerAddress = limits.maxSilent ?? limits.maxPending } = limits;
  while (peers.silent.countOf(address) >= maxSilentPerAddress)
    shedSilent(engine, route, address, 'maxSilentPerAddress');
}

/** Makes room for one more silent connection. */
function boundSilence(engine: Engine, route: RouteState, { address }: Peer): void {
  const { peers, limits } = route;
  const { maxSilent = limits.maxPending } = limits;
  if (address !== undefined) boundSilenceOf(engine, route, address);
  while (peers.silent.size >= maxSilent) shedSilent(engine, route, undefined, 'maxSilent');
}

/** Why a connection that wants a place cannot have one, or undefined; those that hold one in vain make room. */
function placeDenial(engine: Engine, route: RouteState, { address }: Peer): Denial | undefined {
  const { peers, limits } = route;
  const { maxConnectionsPerAddress } = limits;
  if (address !== undefined && maxConnectionsPerAddress !== undefined) {
    const held = () => peers.connectionsOf(address) - peers.silent.countOf(address);
    while (held() >= maxConnectionsPerAddress) {
      const reason = 'maxConnectionsPerAddress';
      if (!shedLate(engine, route, peers.unproven.oldestOf(address), reason)) return shed(reason);
    }
  }
  while (route.active - peers.silent.size >= limits.maxConnections) {
    if (!shedUnproven(engine, route, address, 'maxConnections')) return shed('maxConnections');
  }
  return route.pending - peers.silent.size >= limits.maxPending ? shed('maxPending') : undefined;
}

/** Whether a place is given when the peer has spoken: at once whoever speaks a protocol that nobody reads here gets his. */
function getsPlaceLater({ spec }: RouteState, peer: Peer): boolean {
  return spec.preface.kind === 'postgres-opening' || (spec.preface.kind === 'tells-source' && peer.isBalancer === true);
}

/** Why a connection cannot be taken at accept, or undefined. Counts it as accepted by the listener either way. */
export function acceptDenial(engine: Engine, route: RouteState, peer: Peer): Denial | undefined {
  const { allowedCids } = route;
  const { cid } = peer;
  route.count('accepted', 1);
  if (allowedCids !== undefined && (cid === undefined || !allowedCids.has(cid))) {
    return { counter: 'refusedCid', event: 'relay.refused-cid', reason: 'cid' };
  }
  if (!getsPlaceLater(route, peer)) return placeDenial(engine, route, peer);
  boundSilence(engine, route, peer);
  return undefined;
}

/** At accept, where there is no connection yet that would count its outcome. */
export function countDenial(engine: Engine, route: RouteState, peer: Peer, denial: Denial): void {
  if (denial.counter === 'shed') route.count('unopenedShed', 1);
  noteDenial(engine, route, peer, denial);
}

function noteDenial(engine: Engine, route: RouteState, { cid, address }: Peer, denial: Denial): void {
  route.count(denial.counter, 1);
  engine.log.limited('warn', denial.event, route.label, { cid, address, reason: denial.reason });
}

/** A silent connection has spoken: gives it a place, or tells it so where it can, and closes it. @returns whether it has one. */
export function takePlace(engine: Engine, connection: Connection): boolean {
  const { route, peer } = connection;
  const isPostgres = route.spec.preface.kind === 'postgres-opening';
  const denial = placeDenial(engine, route, peer);
  if (denial === undefined) {
    notePlace(connection);
    return true;
  }
  noteDenial(engine, route, peer, denial);
  if (isPostgres) sendLastWords(engine, connection.down, encodeErrorResponse('too-many-connections'));
  connection.close(engine, 'denied', denial.reason);
  return false;
}

/** It has a place: until it has shown that it is a session, for others too. */
function notePlace(connection: Connection): void {
  const { peers, spec } = connection.route;
  const isOfClient = spec.preface.kind === 'postgres-opening' || spec.preface.kind === 'tells-source';
  if (isOfClient) peers.unproven.add(connection, connection.peer.address);
}

/** The same for one that was given a place at accept. */
export function noteAccepted(connection: Connection): void {
  if (!getsPlaceLater(connection.route, connection.peer)) notePlace(connection);
}

/** The downstream has sent so many bytes: behind what no client's way into a session is shorter than, it makes no room any more. */
export function noteProof(connection: Connection, bytes: number): void {
  const { answerBytes, behindBytes } = proofOf(connection.route);
  if (connection.proofBytes >= behindBytes || connection.up.receivedBytes < answerBytes) return;
  connection.proofBytes += bytes;
  if (connection.proofBytes >= behindBytes) connection.route.peers.unproven.delete(connection);
}
