/**
 * One statement, one alarm. acra-server 0.96.0 writes several records for one statement: three when it cannot read it and two for
 * every row of the answer, one for each value that it does not encrypt, and then one for the statement (acra-server contract 3.8).
 * Most name no session, none names the statement. So records belong together when they have one concern, follow one another
 * closely by the time that acra-server gave them, and name no two sessions. The first of them raises the alarm, at once: a group
 * that is only complete later would need a timer, and would keep back what must be told.
 */
import type { AlarmConcern } from './log-concerns.ts';
import type { AcraLogRecord } from './log-record.ts';

interface Closeness {
  /** Between a record and the one before it. */
  readonly gapMs: number;
  /** From the first of a group to its last, so that a flood raises an alarm again and again. */
  readonly spanMs: number;
}

/** The records of one answer come when the database has answered; those of one statement are written in one go. */
const WITHIN_ANSWER: Closeness = { gapMs: 200, spanMs: 5_000 };
const WITHIN_STATEMENT: Closeness = { gapMs: 20, spanMs: 1_000 };

/** Those without an entry are never grouped: acra-server ends with the first poison record, and nobody knows what `unread` told. */
const CLOSENESS: Readonly<Partial<Record<AlarmConcern, Closeness>>> = {
  plaintext: WITHIN_STATEMENT,
  unexamined: WITHIN_ANSWER,
  undetected: WITHIN_ANSWER,
};

interface Group {
  readonly firstMs: number;
  readonly lastMs: number;
  /** Unknown until one of its records names it. */
  readonly sessionId: number | undefined;
}

type Placed = Pick<AcraLogRecord, 'timeMs' | 'sessionId'>;

function isWithin(group: Group, closeness: Closeness, timeMs: number, sessionId: number | undefined): boolean {
  if (sessionId !== undefined && group.sessionId !== undefined && sessionId !== group.sessionId) return false;
  // Sessions write at the same time, and a clock may be set back.
  return Math.abs(timeMs - group.lastMs) <= closeness.gapMs && Math.abs(timeMs - group.firstMs) <= closeness.spanMs;
}

/** Of the log of one process. Holds no more than one group of each concern. */
export class AlarmGroups {
  readonly #groups = new Map<AlarmConcern, Group>();

  /** Whether the record begins a group, and so raises an alarm. One without a time always does. */
  begins(concern: AlarmConcern, { timeMs, sessionId }: Placed): boolean {
    const closeness = CLOSENESS[concern];
    if (!closeness || timeMs === undefined) return true;
    const group = this.#groups.get(concern);
    if (!group || !isWithin(group, closeness, timeMs, sessionId)) {
      this.#groups.set(concern, { firstMs: timeMs, lastMs: timeMs, sessionId });
      return true;
    }
    this.#groups.set(concern, { ...group, lastMs: timeMs, sessionId: group.sessionId ?? sessionId });
    return false;
  }
}
