/**
 * How the front hands a session to the guard of its identity: one frame, then the client's bytes as they come out of TLS, and back.
 *
 *   u32 length of the JSON, big-endian | JSON, UTF-8 | PostgreSQL's messages behind the start-up packet …
 */
import type { Duplex } from 'node:stream';
import { SessionError } from '../postgres/session-error.ts';
import { MAX_STARTUP_MESSAGE_BYTES, type StartupMessage } from '../postgres/startup-message.ts';
import { takeBytes } from './take-bytes.ts';

export interface SessionOpening {
  readonly startup: StartupMessage;
  /** When the client's certificate ends, ms since the epoch; the session ends then. */
  readonly certificateEndsMs: number;
  /** tls-server-end-point of the certificate that this client was shown, which may be another one than the next client is; null: it has none. */
  readonly channelBinding: Buffer | null;
  /** What is left of the time for the login. */
  readonly loginMs: number;
}

const FRONT = 'the front';
const LENGTH_BYTES = 4;
const MAX_MINOR = 0xffff;
/** JSON writes a byte of a name as six characters at most. */
const MAX_OPENING_BYTES = 6 * MAX_STARTUP_MESSAGE_BYTES + 1024;

interface Written extends Omit<SessionOpening, 'startup' | 'channelBinding'> {
  /** Base64. */
  readonly channelBinding: string | null;
  readonly minor: number;
  readonly parameters: readonly (readonly [string, string])[];
}

const FIELDS = ['certificateEndsMs', 'channelBinding', 'loginMs', 'minor', 'parameters'].join();

/** The front talks to clients: what comes from it is checked. By hand, so that no library is in every program of a session. */
function isWritten(value: unknown): value is Written {
  if (typeof value !== 'object' || value === null || Object.keys(value).sort().join() !== FIELDS) return false;
  const { minor, parameters, certificateEndsMs, channelBinding, loginMs } = value as Record<keyof Written, unknown>;
  const isPair = (pair: unknown) =>
    Array.isArray(pair) && pair.length === 2 && pair.every((text) => typeof text === 'string');
  return (
    Number.isInteger(minor) &&
    Number(minor) >= 0 &&
    Number(minor) <= MAX_MINOR &&
    Number.isFinite(certificateEndsMs) &&
    (channelBinding === null || typeof channelBinding === 'string') &&
    Number.isFinite(loginMs) &&
    Array.isArray(parameters) &&
    parameters.every(isPair)
  );
}

export function encodeOpening({ startup, channelBinding, ...others }: SessionOpening): Buffer {
  const binding = channelBinding?.toString('base64') ?? null;
  const written: Written = {
    ...others,
    channelBinding: binding,
    minor: startup.minor,
    parameters: [...startup.parameters],
  };
  const json = Buffer.from(JSON.stringify(written));
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeUInt32BE(json.length);
  return Buffer.concat([length, json]);
}

/** Reads it off the front of a stream that nobody else reads yet. @throws SessionError 08P01; the signal's reason */
export async function readOpening(socket: Duplex, signal: AbortSignal): Promise<SessionOpening> {
  const length = (await takeBytes(socket, LENGTH_BYTES, FRONT, signal)).readUInt32BE();
  if (length > MAX_OPENING_BYTES) throw new SessionError('08P01', 'an opening that is too long');
  const json = await takeBytes(socket, length, FRONT, signal);
  const written = parsed(json);
  if (!isWritten(written)) throw new SessionError('08P01', 'what is no opening');
  const { minor, parameters, channelBinding, ...others } = written;
  const binding = channelBinding === null ? null : Buffer.from(channelBinding, 'base64');
  return { ...others, channelBinding: binding, startup: { minor, parameters: new Map(parameters) } };
}

/** @returns undefined for what is no JSON */
function parsed(json: Buffer): unknown {
  try {
    return JSON.parse(json.toString('utf8'));
  } catch {
    return undefined;
  }
}
