/**
 * Is acra-server alive, and not deaf? On every accepted connection it dials the database at once (acra-server contract
 * 3.6), and that goes through our own egress route: when the route's count grows, somebody accepted. Nothing is sent:
 * a TLS request without a handshake would cost acra-server a goroutine for ever (contract 3.3).
 */

import type { Clock } from '../../../runtime/clock.ts';
import type { TcpEndpoint, UnixEndpoint } from '../../../wire/endpoint.ts';
import { SupervisorError } from '../../errors.ts';
import { connect } from '../../probes/connect.ts';

export type AcraAnswer =
  /** It accepted and dialled. */
  | 'accepts'
  /** The kernel took the connection, acra-server did not. */
  | 'deaf'
  | 'unreachable';

export interface AcraProbe {
  readonly target: TcpEndpoint | UnixEndpoint;
  /** How many connections acra-server has opened towards the database so far. */
  readonly dialled: () => number;
  readonly timeoutMs: number;
  readonly clock: Clock;
}

const POLL_MS = 5;

/** @throws the signal's reason */
export async function probeAcra(probe: AcraProbe, signal: AbortSignal): Promise<AcraAnswer> {
  const { target, dialled, timeoutMs, clock } = probe;
  const before = dialled();
  const socket = await connect(target, timeoutMs, signal);
  if (!socket) return 'unreachable';
  try {
    const deadlineMs = clock.monotonicMs() + timeoutMs;
    while (dialled() === before) {
      if (clock.monotonicMs() >= deadlineMs) return 'deaf';
      await clock.sleep(POLL_MS, signal);
    }
    return 'accepts';
  } finally {
    socket.destroy();
  }
}

/** @throws SupervisorError CHILD_DEAF, CHILD_NOT_READY; the signal's reason */
export async function requireAcra(probe: AcraProbe, signal: AbortSignal): Promise<void> {
  const answer = await probeAcra(probe, signal);
  if (answer === 'deaf') throw new SupervisorError('CHILD_DEAF', 'acra-server runs but accepts no connections');
  if (answer === 'unreachable') throw new SupervisorError('CHILD_NOT_READY', 'acra-server does not listen');
}
