/** What stands behind a port: the program, as one that is given bytes or one that is given requests. */
import type { TLSSocket } from 'node:tls';
import type { Clock } from '../../runtime/clock.ts';
import type { Logger } from '../../runtime/log.ts';
import type { Place } from '../front/places.ts';
import { type RefusalReason, reasonOf } from '../front/refused.ts';
import type { PortClient } from './client.ts';
import type { ServedPort } from './messages.ts';

export interface BehindDeps {
  readonly port: ServedPort;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Counts a client, or a request, that the program did not take. */
  readonly refused: (reason: RefusalReason) => void;
}

/** Told while a client is owed nothing, so that it can make room. */
export type Rest = Pick<Place, 'rests' | 'works'>;

export interface Behind {
  /** The connection is its own from here on. Never throws. */
  serve(secured: TLSSocket, client: PortClient, rest: Rest): void;
  /** Ends what is idle, as far as it can be told, and the others as soon as they are. */
  drain(): void;
}

/** @param error why there is no connection to the program */
export function tellAway({ port, logger, refused }: BehindDeps, error: unknown): void {
  refused(reasonOf(error));
  const reason = error instanceof Error ? error.message : typeof error;
  logger.log('warn', 'port.program-away', { port: port.name, reason });
}
