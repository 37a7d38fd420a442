/** One event under load, and what its clients saw of it. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { FleetEvent } from './events.ts';
import type { Fleet } from './fleet.ts';
import type { Entry, Ledger, Written } from './load/ledger.ts';
import { storedIds } from './stored.ts';

/** How often, by what was told. */
export type Reasons = ReadonlyMap<string, number>;

export const sumOf = (reasons: Reasons): number => [...reasons.values()].reduce((all, count) => all + count, 0);

export interface Measured {
  readonly event: FleetEvent;
  readonly tookMs: number;
  /** Moments after its begin. */
  readonly notes: readonly { readonly what: string; readonly atMs: number }[];
  readonly answered: number;
  readonly wrong: number;
  readonly failed: Reasons;
  readonly unknown: Reasons;
  readonly lost: Reasons;
  /** Of the lost ones: of clients that end their sessions themselves every few seconds. */
  readonly lostOfPool: number;
  readonly notBegun: Reasons;
  /** From the event to the first trouble of any client, and to the right answer that followed the last one. */
  readonly beganMs: number | undefined;
  readonly endedMs: number | undefined;
  /** Of a client, from its first trouble to its next right answer: of the one that got it first. */
  readonly firstAgainMs: number | undefined;
  /** The longest time that one client was without an answer, with trouble or without. */
  readonly longestGapMs: number;
  /** INSERTs that were answered by an error, by SQLSTATE, and how many of them are in the table all the same. */
  readonly refusedButStored: Reasons;
  /** INSERTs that were not answered: all, and those of them that are in the table. */
  readonly unknownInserts: number;
  readonly unknownButStored: number;
  /** Everything that was not an answer. */
  readonly troubles: readonly (Entry & { readonly afterMs: number })[];
}

const LOOK_MS = 50;
/** What comes late is of this event too. */
const SETTLE_MS = 2_000;

function countBy<Item>(items: readonly Item[], reason: (item: Item) => string | undefined): Reasons {
  const counts = new Map<string, number>();
  for (const item of items) {
    const key = reason(item) ?? '';
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return counts;
}

async function untilAllAnswered(ledger: Ledger, clients: number, sinceMs: number, signal: AbortSignal): Promise<void> {
  const areAll = () => {
    const last = [...ledger.lastAnswers.values()];
    return last.length === clients && last.every((atMs) => atMs > sinceMs);
  };
  while (!areAll()) await sleep(LOOK_MS, undefined, { signal });
}

type Recovery = Pick<Measured, 'beganMs' | 'endedMs' | 'firstAgainMs' | 'longestGapMs'>;

function longestGap(own: readonly Entry[], fromMs: number): number {
  const answers = own.filter(({ kind }) => kind === 'answered').map(({ atMs }) => atMs);
  return Math.max(...answers.map((atMs, at) => atMs - (answers[at - 1] ?? fromMs)));
}

/** Of one client. @returns undefined where it had no trouble */
function troubleOf(own: readonly Entry[]) {
  const [first, last] = [own.find(isTrouble), own.findLast(isTrouble)];
  if (first === undefined || last === undefined) return undefined;
  const answerAfter = ({ atMs }: Entry) =>
    own.find((entry) => entry.kind === 'answered' && entry.atMs > atMs)?.atMs ?? Number.NaN;
  return { beganMs: first.atMs, endedMs: answerAfter(last), firstAgainMs: answerAfter(first) - first.atMs };
}

/** @param entries since `fromMs` */
function recoveryOf(entries: readonly Entry[], fromMs: number): Recovery {
  const clients = [...Map.groupBy(entries, ({ client }) => client).values()];
  const troubles = clients.flatMap((own) => troubleOf(own) ?? []);
  const isQuiet = troubles.length === 0;
  return {
    longestGapMs: Math.max(...clients.map((own) => longestGap(own, fromMs))),
    beganMs: isQuiet ? undefined : Math.min(...troubles.map(({ beganMs }) => beganMs)) - fromMs,
    endedMs: isQuiet ? undefined : Math.max(...troubles.map(({ endedMs }) => endedMs)) - fromMs,
    firstAgainMs: isQuiet ? undefined : Math.min(...troubles.map(({ firstAgainMs }) => firstAgainMs)),
  };
}

const isTrouble = ({ kind }: Entry) => kind !== 'answered';

/** Of INSERTs that were not acknowledged: which are in the table. */
async function fateOf(fleet: Fleet, written: readonly Written[]) {
  const left = written.filter(({ outcome }) => outcome !== 'acknowledged');
  const stored = left.length === 0 ? new Set<number>() : await storedIds(fleet);
  const unknown = left.filter(({ outcome }) => outcome === 'unknown');
  const refused = left.filter(({ id, outcome }) => outcome === 'refused' && stored.has(id));
  return {
    refusedButStored: countBy(refused, ({ reason }) => reason),
    unknownInserts: unknown.length,
    unknownButStored: unknown.filter(({ id }) => stored.has(id)).length,
  };
}

/** @param clients how many there are */
export async function measureEvent(
  event: FleetEvent,
  fleet: Fleet,
  ledger: Ledger,
  clients: number,
  signal: AbortSignal,
): Promise<Measured> {
  await untilAllAnswered(ledger, clients, performance.now(), signal);
  const [fromEntry, fromWritten, fromMs] = [ledger.entries.length, ledger.written.length, performance.now()];
  const notes: { readonly what: string; readonly atMs: number }[] = [];
  const note = (what: string) => void notes.push({ what, atMs: performance.now() - fromMs });
  await event.run({ fleet, signal, note });
  const tookMs = performance.now() - fromMs;
  await untilAllAnswered(ledger, clients, performance.now(), signal);
  await sleep(SETTLE_MS, undefined, { signal });
  const entries = ledger.entries.slice(fromEntry);
  const of = (kind: Entry['kind']) => entries.filter((entry) => entry.kind === kind);
  return {
    event,
    tookMs,
    notes,
    answered: of('answered').length,
    wrong: of('wrong').length,
    failed: countBy(of('failed'), ({ reason }) => reason),
    unknown: countBy(of('unknown'), ({ reason }) => reason),
    lost: countBy(of('lost'), ({ reason }) => reason),
    lostOfPool: of('lost').filter(({ client }) => client % 2 === 1).length,
    notBegun: countBy(of('not-begun'), ({ reason }) => reason),
    ...recoveryOf(entries, fromMs),
    ...(await fateOf(fleet, ledger.written.slice(fromWritten))),
    troubles: entries.filter(isTrouble).map((entry) => ({ ...entry, afterMs: entry.atMs - fromMs })),
  };
}
