/**
 * When a socket is watched for room to write. Unix sockets and vsock report it whenever the peer has read, so that each small message
 * would wake the relay once more: where that was in vain a few times, room is watched for only from the next write on that does not go
 * through, or from the small write on that needs the report (small-packets.ts). Specification: relay.md, K15 and K16.
 */
import { errnoName } from '../../system/libc/errno.ts';
import type { Side } from './connection.ts';
import type { Engine } from './engine.ts';
import { QUIET_EVENTS, SOCKET_EVENTS } from './engine.ts';
import { noteRoom } from './small-packets.ts';

/** Reports of room for which nothing waited, in a row, until it is not watched for. */
const ROOM_IN_VAIN = 4;
/** Nobody listened before, so the first report says nothing. */
const ROOM_UNHEARD = -1;

/** Changes what is watched for; epoll then looks once at what is already so, and no edge is lost (K15). */
function watch(engine: Engine, side: Side, events: number): void {
  const errno = engine.poller.change(side, events);
  if (errno !== 0) side.connection.close(engine, 'internal', errnoName(errno));
}

/** Room is there that nothing waits for. The first report after a change of what is watched for says only what was so before. */
export function onRoomInVain(engine: Engine, side: Side): void {
  if (side.roomInVain >= ROOM_IN_VAIN) return;
  if (side.roomInVain >= 0) noteRoom(side);
  side.roomInVain += 1;
  if (side.roomInVain === ROOM_IN_VAIN) watch(engine, side, QUIET_EVENTS);
}

/** Small writes have gone without a report for long enough to listen for one. */
export function listenForRoom(engine: Engine, side: Side): void {
  if (side.roomInVain < ROOM_IN_VAIN) return;
  side.roomInVain = ROOM_UNHEARD;
  watch(engine, side, SOCKET_EVENTS);
}

/** Something waits for room from now on. */
export function awaitRoom(engine: Engine, side: Side): void {
  if (side.roomInVain === ROOM_IN_VAIN) watch(engine, side, SOCKET_EVENTS);
  side.roomInVain = 0;
}
