/** What the supervisor and the program of the ports tell each other over their channel, as with the front (../messages.ts). */
import { z } from 'zod';
import type { RevokedEntry } from '../../config/revoked.ts';
import type { TcpEndpoint } from '../../wire/endpoint.ts';
import type { AttestationLimits } from '../front/attestation/limits.ts';
import { ATTESTATION_OUTCOMES } from '../front/attestation/outcomes.ts';
import { REFUSAL_REASONS } from '../front/refused.ts';
import { type AnotherCertificate, type Drain, logSchema, type RequestAnswer, requestQuestion } from '../messages.ts';

/** What clients may take of a port. */
export interface PortLimits {
  /** From accept to the end of the handshake. */
  readonly handshakeMs: number;
  /** Until the program takes a connection. */
  readonly connectTimeoutMs: number;
  /** With HTTP, from the handshake to the end of the first request's head. */
  readonly prefaceTimeoutMs: number;
  /** Behind their handshake, at once. */
  readonly maxConnections: number;
  /** Before its end, at once. */
  readonly maxPending: number;
  /** Of one IPv4 address or IPv6 /64, at once. */
  readonly maxConnectionsPerAddress: number;
}

/** A way in where TLS ends in the enclave. */
export interface ServedPort {
  readonly name: string;
  readonly listenPath: string;
  /** Where the program listens. */
  readonly to: TcpEndpoint;
  readonly protocol: 'tcp' | 'http';
  readonly minTls: 'TLSv1.2' | 'TLSv1.3';
  /** Undefined: clients are not asked for a certificate. */
  readonly clientCaPem: string | undefined;
  readonly revoked: readonly RevokedEntry[];
  /** Whether the program is told whose connection it is. */
  readonly proxyProtocol: boolean;
  readonly limits: PortLimits;
}

/** First of all; its one secret is the PEM of the private key. */
export interface ServePorts {
  readonly type: 'serve';
  readonly certificatePem: string;
  readonly ports: readonly ServedPort[];
  readonly attestation: AttestationLimits;
}

export type ToPorts = ServePorts | AnotherCertificate | RequestAnswer | Drain;

const count = z.int().min(0);

const portCounts = z.strictObject({
  /** Now. */
  open: count,
  pending: count,
  /** Since this program was launched. */
  evicted: count,
  refused: z.record(z.enum(REFUSAL_REASONS), count),
});
export type PortCounts = z.output<typeof portCounts>;

const portsCounts = z.strictObject({
  type: z.literal('counts'),
  /** By their names. */
  ports: z.record(z.string().max(31), portCounts),
  attesting: count,
  attestations: z.record(z.enum(ATTESTATION_OUTCOMES), count),
});
export type PortsCounts = z.output<typeof portsCounts>;

export const fromPortsSchema = z.discriminatedUnion('type', [
  logSchema,
  z.strictObject({ type: z.literal('listening') }),
  portsCounts,
  requestQuestion,
]);
export type FromPorts = z.output<typeof fromPortsSchema>;
