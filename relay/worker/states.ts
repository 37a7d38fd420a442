/**
 * The states of one relayed connection, who moves it on, and what its end means. Every other file of the relay only carries out
 * what stands here; `Connection.enter` refuses a move that is not drawn.
 *
 *    downstream connects
 *          │
 *      accepted ───────────────────────────────────────────┐  no preface: we dial at once
 *          │ the route's preface policy begins              │
 *          ├─▶ (proxy-header ─▶) postgres-opening ─────────▶┤  downstream sent 8 plausible bytes
 *          ├─▶ (proxy-header ─▶) postgres-startup ─────────▶┤  downstream sent a whole SSLRequest or CancelRequest
 *          ├─▶ proxy-header ───────────────────────────────▶┤  downstream, a load balancer or the parent, said whose connection it is
 *          └─▶ http-request ───────────────────────────────▶┤  downstream sent a CONNECT for an allowed authority
 *                                                           ▼
 *                 ┌───────────────────────────────────── dialling   we resolve and connect, one address after the other
 *                 │                                         │ upstream is a hybrid socket
 *                 │                                         ▼
 *                 │◀───────────────────────────────── hybrid-answer  upstream says `OK n`
 *                 │ upstream can take bytes
 *                 ├─▶ postgres-answer ──▶ postgres-first-record ─┐   upstream said `S`; downstream begins TLS
 *                 ├─▶ postgres-cancel                            │   upstream closes
 *                 └────────────────────────────────────────────▶ open
 *
 *   Every state leads to `closed`, by either peer, a deadline, a limit, a drain, or a defect (CLOSINGS).
 *
 * Inside `open` each direction has a state of its own, kept at the socket that it ends in (`Side.writing`):
 *
 *           socket took less than offered (K2), or small bytes are held back (K16)
 *              ┌───────────────────────────────────────────┐
 *          taking ◀────────────────────────────────────── full     `pending` holds the rest; the peer is not read,
 *              │      it took the rest (EPOLLOUT)           │         or ahead only, where it is vsock
 *              │ peer's end was read: SHUT_WR (K5)          │ a write failed
 *              ▼                                            ▼
 *            shut                         taking ──────▶ broken    a write failed; what this socket still says is passed on
 *
 *   When both directions are `shut` or `broken`, the connection closes. A failed read closes it at once, with a reset (K6).
 */
import type { LogLevel } from '../../runtime/log.ts';
import type { CounterName, Outcome } from '../counters.ts';
import type { RelayEvent } from '../events.ts';

export type StateName =
  | 'accepted'
  | 'proxy-header'
  | 'postgres-opening'
  | 'postgres-startup'
  | 'http-request'
  | 'dialling'
  | 'hybrid-answer'
  | 'postgres-answer'
  | 'postgres-first-record'
  | 'postgres-cancel'
  | 'open'
  | 'closed';

const UPSTREAM_READY = ['postgres-answer', 'postgres-cancel', 'open'] as const;

/** The arrows of the drawing; `closed` can be reached from everywhere but itself. */
const NEXT: Readonly<Record<StateName, readonly StateName[]>> = {
  accepted: ['proxy-header', 'postgres-opening', 'postgres-startup', 'http-request', 'dialling'],
  'proxy-header': ['postgres-opening', 'postgres-startup', 'dialling'],
  'postgres-opening': ['dialling'],
  'postgres-startup': ['dialling'],
  'http-request': ['dialling'],
  dialling: ['hybrid-answer', ...UPSTREAM_READY],
  'hybrid-answer': UPSTREAM_READY,
  'postgres-answer': ['postgres-first-record'],
  'postgres-first-record': ['open'],
  'postgres-cancel': [],
  open: [],
  closed: [],
};

export function mayFollow(from: StateName, to: StateName): boolean {
  return to === 'closed' ? from !== 'closed' : NEXT[from].includes(to);
}

/** The state of the direction that ends in a socket. */
export type Writing = 'taking' | 'full' | 'shut' | 'broken';

/**
 * finished: both streams ended; gone: the downstream left before the upstream was there; reset: reading failed; broken: writing
 * failed, and what that peer still had to say was passed on; shed: silent, or no session in time, and its
 * place was needed; denied: spoke when no place was free, which places.ts counts and logs; internal: a defect.
 */
export type CloseReason =
  | 'finished'
  | 'gone'
  | 'reset'
  | 'broken'
  | 'idle'
  | 'cut'
  | 'shed'
  | 'denied'
  | 'refused-preface'
  | 'connect-failed'
  | 'internal';

interface Closing {
  /** Counted besides the outcome. */
  readonly counter: CounterName | undefined;
  /** Of a connection that was not open yet. Nothing but a passed CancelRequest finishes, or waits too long, before it is open. */
  readonly unopened: Outcome;
  readonly event: RelayEvent | undefined;
  readonly level: LogLevel;
}

export const CLOSINGS: Readonly<Record<CloseReason, Closing>> = {
  finished: { counter: undefined, unopened: 'cancelled', event: undefined, level: 'debug' },
  gone: { counter: undefined, unopened: 'gone', event: undefined, level: 'debug' },
  reset: { counter: 'errors', unopened: 'unopenedFailed', event: 'relay.reset', level: 'info' },
  broken: { counter: 'errors', unopened: 'unopenedFailed', event: 'relay.reset', level: 'info' },
  idle: { counter: 'idleClosed', unopened: 'cancelled', event: 'relay.idle-closed', level: 'info' },
  cut: { counter: 'cut', unopened: 'unopenedCut', event: undefined, level: 'debug' },
  shed: { counter: 'shedSilent', unopened: 'unopenedShed', event: 'relay.shed', level: 'warn' },
  denied: { counter: undefined, unopened: 'unopenedShed', event: undefined, level: 'debug' },
  'refused-preface': { counter: undefined, unopened: 'refusedPreface', event: 'relay.refused-preface', level: 'warn' },
  'connect-failed': { counter: undefined, unopened: 'connectFailed', event: 'relay.connect-failed', level: 'warn' },
  internal: { counter: 'errors', unopened: 'unopenedFailed', event: 'relay.internal-error', level: 'error' },
};
