/**
 * Keeps a flood out of the log: of each kind of record a few pass in each window, and a summary tells how many did not. Strangers
 * can cause some kinds at will (a bad handshake is a line of acra-server), and each record is a write to the console by PID 1.
 * A flood of one kind must not cost the records of another, so there is no bound on all of them together but that on kinds; and
 * what a stranger varies (an error, a name) must not cost an alarm, so kinds are bounded by event, concern and program.
 */
import type { Clock } from '../../runtime/clock.ts';
import type { LogEvent, LogFields, Logger, LogLevel, LogValue } from '../../runtime/log.ts';

export const RECORDS_PER_WINDOW = 20;
export const WINDOW_MS = 60_000;
/** Of one family; what comes on top of them is one kind together. */
export const MAX_KINDS = 200;

/** What makes records of one event differ in kind: names, codes and constant texts, never numbers that count up. */
const KIND_FIELDS = [
  'child',
  'route',
  'phase',
  'what',
  'path',
  'code',
  'concern',
  'acraCode',
  'clientId',
  'message',
  'error',
  'fingerprint',
] as const;
/** Identifiers: two that differ in a digit are two. */
const EXACT_FIELDS: ReadonlySet<string> = new Set(['code', 'acraCode', 'clientId', 'child', 'fingerprint']);
/** Whose values are the program's own and few. */
const FAMILY_FIELDS = ['child', 'concern'] as const;
const MAX_PART_CHARACTERS = 120;

/** Errors name ports and addresses, which are another each time. */
function kindPart(value: LogValue): string {
  return String(value)
    .replaceAll(/[0-9]+/g, '#')
    .slice(0, MAX_PART_CHARACTERS);
}

function described(event: LogEvent, fields: LogFields, names: readonly string[]): string {
  const parts = names.flatMap((name) => {
    const value = fields[name];
    if (value === undefined) return [];
    return `${name}=${EXACT_FIELDS.has(name) ? value : kindPart(value)}`;
  });
  return [event, ...parts].join(' ');
}

/** The relay limits what strangers can cause where it arises, for each route (relay/worker/worker-log.ts). */
function isLimitedAtItsSource(event: LogEvent): boolean {
  return event.startsWith('relay.');
}

interface Tally {
  readonly level: LogLevel;
  readonly kind: string;
  count: number;
}

export class LimitedLogger implements Logger {
  readonly #target: Logger;
  readonly #clock: Clock;
  readonly #tallies = new Map<string, Tally>();
  /** How many kinds of each family. */
  readonly #kinds = new Map<string, number>();
  #windowStartMs: number;
  #suppressed = 0;

  constructor(target: Logger, clock: Clock) {
    this.#target = target;
    this.#clock = clock;
    this.#windowStartMs = clock.monotonicMs();
  }

  /** Records that did not pass, since the beginning. */
  get suppressed(): number {
    return this.#suppressed;
  }

  log(level: LogLevel, event: LogEvent, fields: LogFields = {}): void {
    this.tick();
    if (!isLimitedAtItsSource(event)) {
      const tally = this.#tally(level, event, fields);
      tally.count += 1;
      if (tally.count > RECORDS_PER_WINDOW) {
        this.#suppressed += 1;
        return;
      }
    }
    this.#target.log(level, event, fields);
  }

  /** Ends the window when its time is over. Called with each record, and by whoever looks in from time to time anyway. */
  tick(): void {
    if (this.#clock.monotonicMs() - this.#windowStartMs >= WINDOW_MS) this.settle();
  }

  /** Ends the window: tells what did not pass, at the level that it would have had. */
  settle(): void {
    this.#windowStartMs = this.#clock.monotonicMs();
    const tallies = [...this.#tallies.values()];
    this.#tallies.clear();
    this.#kinds.clear();
    for (const { level, kind, count } of tallies) {
      if (count <= RECORDS_PER_WINDOW) continue;
      this.#target.log(level, 'log.suppressed', { kind, count: count - RECORDS_PER_WINDOW });
    }
  }

  #tally(level: LogLevel, event: LogEvent, fields: LogFields): Tally {
    const kind = described(event, fields, KIND_FIELDS);
    const known = this.#tallies.get(`${level} ${kind}`);
    if (known) return known;
    const family = described(event, fields, FAMILY_FIELDS);
    const kinds = (this.#kinds.get(`${level} ${family}`) ?? 0) + 1;
    if (kinds > MAX_KINDS) return this.#counted(level, `${family} other`);
    this.#kinds.set(`${level} ${family}`, kinds);
    return this.#counted(level, kind);
  }

  #counted(level: LogLevel, kind: string): Tally {
    const tally = this.#tallies.get(`${level} ${kind}`) ?? { level, kind, count: 0 };
    this.#tallies.set(`${level} ${kind}`, tally);
    return tally;
  }
}
