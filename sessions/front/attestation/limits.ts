/** What strangers may take of the front for attestation: bounds of their own, from which sessions lose nothing. */

export interface AttestationLimits {
  /** Connections at once. */
  readonly maxConnections: number;
  /** Handshakes in a second, of all. */
  readonly maxPerSecond: number;
  /** The same of one IPv4 address, or a /64 of IPv6. */
  readonly maxPerSecondPerAddress: number;
  readonly handshakeMs: number;
  /** From the handshake to the last byte of the request. */
  readonly requestMs: number;
  /** From there until the enclave has made its answer. */
  readonly answerMs: number;
}
