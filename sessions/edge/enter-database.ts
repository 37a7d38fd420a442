/**
 * From nothing to a session at the database: a connection, and the login on it. Where there are several secrets and the database says
 * that one is wrong, the next is tried on a connection of its own, within the same time.
 */
import type { X509Certificate } from 'node:crypto';
import type { Message } from '../../postgres/message-reader.ts';
import { encodeStartupMessage, type StartupMessage } from '../../postgres/startup-message.ts';
import type { Clock } from '../../runtime/clock.ts';
import { MessageStream } from '../message-stream.ts';
import { leave } from '../say-goodbye.ts';
import { connectDatabase, type DatabaseTarget } from './database-connection.ts';
import { isWrongPassword, type LoginExchange, LoginRefused, logIn, MAX_LOGIN_MESSAGE_BYTES } from './login.ts';

export interface DatabaseDoor {
  readonly database: DatabaseTarget;
  /** From the database; a longer message is a fault. */
  readonly maxDatabaseMessageBytes: number;
  readonly clock: Clock;
}

/** One secret that the database may have. */
export interface LoginWay {
  /** @param certificate of the database */
  readonly begin: (certificate: X509Certificate | undefined) => LoginExchange;
  readonly worked?: () => void;
  /** The database did not let this user in by it. */
  readonly refused?: () => void;
}

export interface Entered {
  /** The caller's to leave. */
  readonly database: MessageStream;
  /** All that the client is to be told, up to ReadyForQuery. */
  readonly greeting: readonly Message[];
}

/** @param ways one at least. @throws as connectDatabase, and as logIn for the last way */
export async function enterDatabase(
  door: DatabaseDoor,
  startup: StartupMessage,
  ways: readonly LoginWay[],
  signal: AbortSignal,
): Promise<Entered> {
  let refused: unknown;
  for (const way of ways) {
    try {
      const entered = await enterBy(door, startup, way, signal);
      way.worked?.();
      return entered;
    } catch (error) {
      if (error instanceof LoginRefused && error.isOfLogin) way.refused?.();
      if (!isWrongPassword(error)) throw error;
      refused = error;
    }
  }
  throw refused;
}

async function enterBy(
  door: DatabaseDoor,
  startup: StartupMessage,
  { begin }: LoginWay,
  signal: AbortSignal,
): Promise<Entered> {
  const { database, certificate } = await knock(door, startup, signal);
  try {
    using exchange = begin(certificate);
    const greeting = await logIn(database, exchange, signal);
    database.maxBytes = door.maxDatabaseMessageBytes;
    return { database, greeting };
  } catch (error) {
    leave(database, door.clock);
    throw error;
  }
}

/** Connects and asks for a session. The caller leaves it. @throws as connectDatabase, encodeStartupMessage */
export async function knock(
  { database: target }: DatabaseDoor,
  startup: StartupMessage,
  signal: AbortSignal,
): Promise<{ readonly database: MessageStream; readonly certificate: X509Certificate | undefined }> {
  const packet = encodeStartupMessage(startup);
  const socket = await connectDatabase(target, signal);
  const database = new MessageStream(socket, { maxBytes: MAX_LOGIN_MESSAGE_BYTES });
  socket.write(packet);
  return { database, certificate: socket.getPeerX509Certificate() };
}
