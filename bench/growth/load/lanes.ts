/** The two loads of a chain: sessions that stay and say one statement after the other, and sessions that come one after the other. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Counts } from '../counts.ts';
import type { Load } from '../run.ts';
import { LoadClient, type Target } from './client.ts';
import { type Comers, runSession } from './sessions.ts';
import { prepare, runUnit, type Session } from './statements.ts';

const AT_ONCE = 8;
/** What serves may be starting again. */
const AFTER_FAILURE_MS = 100;

async function untilOver(session: Session, counts: Counts, goesOn: () => boolean): Promise<void> {
  await prepare(session);
  while (goesOn()) {
    const { statements, surprise } = await runUnit(session);
    counts.statements += statements;
    if (surprise !== undefined) counts.surprise(surprise);
  }
  await session.client.end();
}

async function stay(target: Target, number: number, counts: Counts, goesOn: () => boolean): Promise<void> {
  while (goesOn()) {
    try {
      await untilOver({ client: await LoadClient.open(target), target, number }, counts, goesOn);
    } catch (error) {
      counts.lost += 1;
      counts.surprise(`a steady session: ${error instanceof Error ? error.message : String(error)}`);
      await sleep(AFTER_FAILURE_MS);
    }
  }
}

async function come(comers: Comers, counts: Counts, goesOn: () => boolean): Promise<void> {
  while (goesOn()) {
    const surprise = await runSession(comers);
    counts.sessions += 1;
    if (surprise === undefined) continue;
    counts.surprise(surprise);
    await sleep(AFTER_FAILURE_MS);
  }
}

export const steadySessions =
  (target: Target, atOnce = AT_ONCE): Load =>
  async (counts, goesOn) => {
    await Promise.all(Array.from({ length: atOnce }, (_, at) => stay(target, at + 1, counts, goesOn)));
  };

export const comingSessions =
  (comers: Comers, atOnce = AT_ONCE): Load =>
  async (counts, goesOn) => {
    await Promise.all(Array.from({ length: atOnce }, () => come(comers, counts, goesOn)));
  };
