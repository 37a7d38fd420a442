/**
 * One local connection: its first packet is read, TLS to the enclave is opened and its key compared with the attested one, and only then
 * goes a byte of the client out. From there on both directions are streams, each with its own end and its own back-pressure.
 */
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { TLSSocket } from 'node:tls';
import { MeasurementsError } from '../../attestation/published/errors.ts';
import { encodeError } from '../../postgres/error-response.ts';
import { SessionError } from '../../postgres/session-error.ts';
import type { Clock } from '../../runtime/clock.ts';
import { Deadline } from '../../runtime/deadline.ts';
import { CodedError, describeError } from '../../runtime/errors.ts';
import { ConnectError } from './errors.ts';
import { readOpening } from './opening.ts';
import type { EnclaveTrust } from './trust.ts';
import type { Upstream } from './upstream.ts';

/** authentication_timeout of PostgreSQL is a minute too. */
const OPENING_TIMEOUT_MS = 60_000;
const DIAL_TIMEOUT_MS = 30_000;

export interface SessionDeps {
  readonly trust: EnclaveTrust;
  readonly upstream: Upstream;
  readonly clock: Clock;
}

/** A connection whose key is the attested one. @throws those of EnclaveTrust and Upstream; CONNECT_KEY_CHANGED */
async function dialVerified({ trust, upstream }: SessionDeps, signal: AbortSignal): Promise<TLSSocket> {
  const pinned = await trust.current(signal);
  const first = await upstream.dial(pinned.keySha256, signal);
  if (first.kind === 'pinned') return first.socket;
  // Another boot has another key, and so has whoever stands in between.
  const attested = await trust.renew(pinned, signal);
  if (!first.keySha256.equals(attested.keySha256)) throw keyChanged(first.keySha256, attested.keySha256);
  const second = await upstream.dial(attested.keySha256, signal);
  if (second.kind === 'pinned') return second.socket;
  throw keyChanged(second.keySha256, attested.keySha256);
}

function keyChanged(found: Buffer, allowed: Buffer): ConnectError {
  return new ConnectError('CONNECT_KEY_CHANGED', 'the server shows another TLS key than the enclave attests', {
    found: found.toString('hex'),
    allowed: allowed.toString('hex'),
  });
}

/** `28000`: what answers is not to be trusted; `08006`: nothing answers, or not in time. */
function sqlStateOf(error: unknown): string {
  if (error instanceof SessionError) return error.sqlState;
  const isUnverified = error instanceof ConnectError && /NOT_VERIFIED|KEY_CHANGED/.test(error.code);
  return isUnverified || error instanceof MeasurementsError ? '28000' : '08006';
}

function farewell(error: unknown): Buffer {
  const code = error instanceof CodedError ? ` (${error.code})` : '';
  return encodeError('FATAL', sqlStateOf(error), `acra-enclave connect${code}: ${describeError(error)}`);
}

async function relay(local: Duplex, upstream: Duplex, signal: AbortSignal): Promise<void> {
  try {
    await Promise.all([pipeline(local, upstream, { signal }), pipeline(upstream, local, { signal })]);
  } finally {
    local.destroy();
    upstream.destroy();
  }
}

/**
 * Until the session has ended. Whoever cannot be connected is told why, in PostgreSQL's words.
 * @param local half-open, paused, all of its bytes still to be read
 * @throws why the session was refused; not how it ended
 */
export async function serveSession(local: Socket, deps: SessionDeps, signal: AbortSignal): Promise<void> {
  local.on('error', () => undefined);
  let upstream: TLSSocket;
  try {
    const late = () => new SessionError('08006', 'the start-up packet did not come in time');
    using opening = new Deadline(deps.clock, OPENING_TIMEOUT_MS, signal, late);
    const { packet } = await readOpening(local, opening.signal);
    const unanswered = () => new SessionError('08006', 'the enclave did not answer in time');
    using dialling = new Deadline(deps.clock, DIAL_TIMEOUT_MS, signal, unanswered);
    upstream = await dialVerified(deps, dialling.signal);
    upstream.write(packet);
  } catch (error) {
    // What it goes on sending is read, so that it can read the last word.
    local.resume().end(farewell(error), () => local.destroy());
    throw error;
  }
  await relay(local, upstream, signal).catch(() => undefined);
}
