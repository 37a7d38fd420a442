/** What clients may take of the front, before and after they have shown who they are. All times are of one connection. */

import type { AttestationLimits } from './attestation/limits.ts';

export interface FrontLimits {
  /** Until its first byte. */
  readonly firstByteMs: number;
  /** From the first byte of a packet before a session to its last. */
  readonly startupMs: number;
  /** The TLS handshake. */
  readonly tlsMs: number;
  /** From accept until the database has let it in. */
  readonly loginMs: number;
  /** Connections at once that have not shown a certificate yet. */
  readonly maxPending: number;
  readonly maxSessions: number;
  /** Of one identity. */
  readonly maxSessionsPerClient: number;
  /** At once, sessions or not. Limits by address hold for one of IPv4, or a /64 of IPv6. */
  readonly maxConnectionsPerAddress: number;
  /** Of one address, failed handshakes in a second; then its connections are closed unheard until it is over. */
  readonly maxFailuresPerSecond: number;
  /** Of those that want no session. */
  readonly attestation: AttestationLimits;
}
