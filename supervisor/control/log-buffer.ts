/**
 * Log records wait here until the parent has acknowledged them, so that a host-proxy that is restarted misses none.
 * Bounded: when the parent does not listen the oldest go, and how many went is told. Sequence numbers show any gap.
 */

import type { Clock } from '../../runtime/clock.ts';
import type { LogEvent, LogFields, Logger, LogLevel, LogValue } from '../../runtime/log.ts';
import type { WireLogRecord } from '../../wire/control/messages.ts';

const MAX_VALUE_CHARACTERS = 2000;

export interface LogBatch {
  readonly records: readonly WireLogRecord[];
  readonly dropped: number;
}

function boundedFields(fields: LogFields): Record<string, LogValue> {
  const bounded: Record<string, LogValue> = {};
  for (const [name, value] of Object.entries(fields)) {
    if (value === undefined) continue;
    bounded[name] = typeof value === 'string' ? value.slice(0, MAX_VALUE_CHARACTERS) : value;
  }
  return bounded;
}

export class LogBuffer implements Logger {
  readonly #clock: Clock;
  readonly #maxRecords: number;
  readonly #onRecord: (record: WireLogRecord) => void;
  #records: WireLogRecord[] = [];
  #nextSeq = 1;
  #dropped = 0;

  constructor(deps: {
    readonly clock: Clock;
    readonly maxRecords: number;
    readonly onRecord: (record: WireLogRecord) => void;
  }) {
    this.#clock = deps.clock;
    this.#maxRecords = deps.maxRecords;
    this.#onRecord = deps.onRecord;
  }

  log(level: LogLevel, event: LogEvent, fields: LogFields = {}): void {
    const record = {
      seq: this.#nextSeq++,
      timeMs: Math.round(this.#clock.nowMs()),
      level,
      event,
      fields: boundedFields(fields),
    };
    this.#records.push(record);
    if (this.#records.length > this.#maxRecords) {
      this.#records.shift();
      this.#dropped += 1;
    }
    this.#onRecord(record);
  }

  get waiting(): number {
    return this.#records.length;
  }

  /** The oldest records that were not acknowledged yet. */
  batch(maxRecords: number): LogBatch {
    return { records: this.#records.slice(0, maxRecords), dropped: this.#dropped };
  }

  /** The parent has kept everything up to `seq`. */
  acknowledge(seq: number): void {
    const first = this.#records.findIndex((record) => record.seq > seq);
    this.#records = first === -1 ? [] : this.#records.slice(first);
  }
}
