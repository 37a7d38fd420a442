/** What clients may take of the enclave's front (section `ingress` of enclave.yaml, with `tls: terminate`). */
import { z } from 'zod';
import { count, durationMs } from './fields.ts';

const MIB = 1024 * 1024;

/** What fits acra-server's memory: config/engine-memory.ts. */
const MAX_MESSAGE_BYTES = 16 * MIB;

/** The database may send the value back as hex digits, in a message that may have 64 MiB. */
const LONGEST_MESSAGE_BYTES = 31 * MIB;

const tlsVersion = (describe: string) => z.enum(['TLSv1.2', 'TLSv1.3']).default('TLSv1.3').describe(describe);

export const minTlsOfClients = tlsVersion('the oldest TLS that clients may speak');
export const minTlsOfDatabase = tlsVersion('with ingress.tls: terminate, the oldest TLS that the database may speak');

/** Of whoever asks for attestation on the public port of an enclave. */
export const attestationLimits = z
  .strictObject({
    maxConnections: count(20, 10_000).describe(
      'at once; of more the one that says nothing goes, the oldest of the address that has most of them',
    ),
    maxPerSecond: count(20, 10_000).describe('handshakes in a second; more are closed before theirs'),
    maxPerSecondPerAddress: count(5, 10_000).describe('the same of one IPv4 address or IPv6 /64'),
    handshakeMs: durationMs(5_000),
    requestMs: durationMs(5_000).describe('from the handshake to the last byte of the request'),
    answerMs: durationMs(10_000).describe('from there until the enclave has made its answer'),
  })
  .prefault({})
  .describe('of clients that ask for attestation (ALPN acra-attestation/1); they take none of the bounds above');

export const frontLimits = z
  .strictObject({
    firstByteMs: durationMs(5_000).describe('from accept to a first byte'),
    startupMs: durationMs(5_000).describe('for the rest of a packet before a session'),
    tlsMs: durationMs(10_000).describe('for the TLS handshake'),
    loginMs: durationMs(15_000).describe('from accept until the database has let the client in'),
    maxPending: count(200, 100_000).describe(
      'connections that have shown no certificate yet; of more one goes, of an address that came for nothing before, else of that which has most of them',
    ),
    maxSessions: count(500, 100_000).describe('sessions at once'),
    maxSessionsPerClient: count(200, 100_000).describe('sessions of one client identity at once'),
    maxConnectionsPerAddress: count(100, 100_000).describe(
      'connections of one IPv4 address or IPv6 /64 at once, sessions or not; over it its oldest without a certificate goes, and ' +
        'where all are sessions the new one is refused. Addresses are what host-proxy says',
    ),
    maxFailuresPerSecond: count(20, 100_000).describe(
      'failed handshakes of one address in a second; for the rest of the second its connections are closed unheard',
    ),
    maxMessageBytes: count(MAX_MESSAGE_BYTES, LONGEST_MESSAGE_BYTES, 64 * 1024).describe(
      'a longer message of a client is refused (54000); the session lives',
    ),
    attestation: attestationLimits,
  })
  .prefault({});
