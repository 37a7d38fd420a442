/**
 * How many small packets a vsock socket may have under way. Linux from 6.12.94 on (6.18.36, 7.0.13) resets a connection when the packets
 * that wait in the receiver's kernel, however small, are more than its buffer divided by 576 bytes; credit counts bytes only, so nobody tells the
 * sender. What it can see: such a kernel reports room each time that its reader has emptied the queue, which wakes EPOLLOUT here. So small writes
 * are counted from one such report to the next. At WATCH_AT the report is listened for; at HOLD_AT more small bytes are held back and joined
 * until it comes, or until they make one large write, whose bytes credit bounds. Kernels that report nothing know no such limit.
 * Specification: relay.md, K16 and must hold 13; docs/decisions/0029.
 */
import type { Side } from './connection.ts';

/** A packet above the kernel's own cost of one (SKB_TRUESIZE(0): 576 bytes on x86-64 and arm64) uses up credit first. */
const SMALL_BYTES = 1024;
const WATCH_AT = 128;
/** Below the 455 that a buffer of the default size takes, and half of what ours takes. */
const HOLD_AT = 384;
/** So many held bytes are one large write. */
const JOINED_BYTES = 16 * 1024;
/** A report that was missed is not waited for longer. */
export const MAX_HOLD_MS = 250;

/** A write went to the socket. */
export function noteWrite(side: Side, bytes: number): void {
  if (side.transport.isVsock && bytes < SMALL_BYTES) side.smallWrites += 1;
}

/** Whether reports of room are to be listened for again, from now on. */
export function isWatchDue(side: Side): boolean {
  return side.smallWrites >= WATCH_AT;
}

/** Bytes came from the socket: whoever sends reads as well, as a rule; each counts for one. */
export function noteAnswer(side: Side): void {
  if (side.smallWrites > 0) side.smallWrites -= 1;
}

/** Room was reported that was not there all along: the peer has read what there was. */
export function noteRoom(side: Side): void {
  side.smallWrites = 0;
  side.reportsRoom = true;
}

/** Whether these bytes have to wait for others, or for a report of room. */
export function mustHold(side: Side, bytes: number): boolean {
  return side.smallWrites >= HOLD_AT && side.reportsRoom && bytes < SMALL_BYTES;
}

/** Whether what was held back makes a large write by now. */
export function isJoined(side: Side): boolean {
  return side.isHeld && (side.pending?.length ?? 0) >= JOINED_BYTES;
}
