/**
 * Counters of a route in shared memory: the worker adds, any thread reads, and metrics cost the relay no message.
 * One Float64 a counter (exact up to 2^53; a 64-bit store is not torn on the platforms that the product runs on).
 * Specification: relay.md, "Shape".
 */

/** What became of an accepted connection's attempt to reach its upstream. */
export const OUTCOMES = [
  'opened',
  'refusedCid',
  'refusedPreface',
  'connectFailed',
  'gone',
  'cancelled',
  'unopenedShed',
  'unopenedCut',
  'unopenedFailed',
] as const;
export type Outcome = (typeof OUTCOMES)[number];

/** In the order of their slots. `active`, `pending` and `silent` are gauges; all others only grow. */
export const COUNTER_NAMES = [
  'accepted',
  ...OUTCOMES,
  'active',
  'pending',
  'silent',
  'shed',
  'shedSilent',
  'idleClosed',
  'cut',
  'errors',
  'bytesUp',
  'bytesDown',
  'largestVsockWriteBytes',
  'largestPendingBytes',
  'heldBack',
  'resetsAtAccept',
  'resetsAtConnect',
  'resetsOpen',
  'noBuffersAtAccept',
  'noBuffersAtConnect',
  'noBuffersOpen',
] as const;

export type CounterName = (typeof COUNTER_NAMES)[number];

/**
 * accepted: every connection that the listener took; opened: those that reached their upstream; active: held now;
 * pending: of these, not yet open; silent: of these, have not said yet what they want; shed: closed at accept for a limit;
 * shedSilent: closed to make room for others, while silent or before they became sessions; refusedCid: for the peer's CID; refusedPreface: for its
 * first bytes or its upstream's answer to them; connectFailed: no upstream; gone: the downstream left before it was open; cancelled: a
 * CancelRequest was passed on; unopenedShed, unopenedCut, unopenedFailed: shed, cut or broken before it was open, which shed, shedSilent,
 * cut and errors count too; idleClosed: for the idle time-out; cut: by drain,
 * removal or stop; errors: ended by a reset or another socket error; bytesUp, bytesDown: written to upstream and downstream;
 * largestVsockWriteBytes: the largest single write to a vsock or hybrid socket; largestPendingBytes: the most that one
 * connection held in user space because a peer did not read; heldBack: how often small writes to vsock were held back to be joined;
 * resets…: calls that told ECONNRESET (of connections that were waiting to be accepted, of attempts to connect, of open ones), noBuffers…: ENOBUFS, as
 * a kernel says of a connection that it reset for too many packets unread.
 *
 * `accepted` is at every moment `pending` and the sum of OUTCOMES: each connection comes to exactly one of them.
 */
export type RouteCounters = Readonly<Record<CounterName, number>>;

/** Slot numbers for the worker. */
export const COUNTER = Object.fromEntries(COUNTER_NAMES.map((name, slot) => [name, slot])) as Readonly<
  Record<CounterName, number>
>;

export function createCounters(): SharedArrayBuffer {
  return new SharedArrayBuffer(COUNTER_NAMES.length * Float64Array.BYTES_PER_ELEMENT);
}

export function readCounters(shared: SharedArrayBuffer): RouteCounters {
  const slots = new Float64Array(shared);
  return Object.fromEntries(COUNTER_NAMES.map((name, slot) => [name, slots[slot] ?? 0])) as Record<CounterName, number>;
}
