/**
 * Counts resets by how far the connection had come, and says what it probably is when on vsock every new connection is reset.
 * Specification: docs/metrics.md, docs/vsock-kernels.md.
 */
import { ECONNRESET, ENOBUFS } from '../../system/libc/errno.ts';
import type { CounterName } from '../counters.ts';
import type { Engine } from './engine.ts';
import type { RouteState } from './route-state.ts';

type Stage = 'accept' | 'connect' | 'open';

const COUNTERS: Readonly<Record<number, Readonly<Record<Stage, CounterName>>>> = {
  [ECONNRESET]: { accept: 'resetsAtAccept', connect: 'resetsAtConnect', open: 'resetsOpen' },
  [ENOBUFS]: { accept: 'noBuffersAtAccept', connect: 'noBuffersAtConnect', open: 'noBuffersOpen' },
};
/** So many attempts in a row are reset before it is told; then at each doubling. */
const FIRST_TOLD = 8;
const REASON =
  'every new connection is reset at once, although some were taken before: nobody listens at the other end any more, or its accept queue has leaked, and the daemon there has to be started again (CVE-2026-46214, docs/vsock-kernels.md)';

/** @param errno what a call told, other than a reset too */
export function noteReset(route: RouteState, stage: Stage, errno: number): void {
  const counters = COUNTERS[errno];
  if (counters !== undefined) route.count(counters[stage], 1);
}

/** An attempt to connect failed. */
export function noteConnectFailure(engine: Engine, route: RouteState, errno: number): void {
  noteReset(route, 'connect', errno);
  if (errno !== ECONNRESET || !route.upstream.transport.isVsock) return;
  route.connectsReset += 1;
  const count = route.connectsReset;
  const isTold = count >= FIRST_TOLD && Number.isInteger(Math.log2(count / FIRST_TOLD));
  if (isTold && route.hasOpened)
    engine.log.limited('warn', 'relay.connects-reset', route.label, { count, reason: REASON });
}
