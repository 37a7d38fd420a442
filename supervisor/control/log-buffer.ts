/**
 * Log records wait here until the parent has acknowledged them, so that a host-proxy that is restarted misses none. Bounded in
 * number and bytes. When the parent does not listen the least important go first, the oldest of them before the newer, and how
 * many went is told; sequence numbers show where. Of nothing but fatal records the ones in the middle go: the first tell what
 * broke, the last what became of it.
 */

import type { Clock } from '../../runtime/clock.ts';
import type { LogEvent, LogFields, Logger, LogLevel } from '../../runtime/log.ts';
import { LOG_LEVELS } from '../../runtime/log.ts';
import type { WireLogRecord } from '../../wire/control/messages.ts';
import type { SizedRecord } from './bounded-record.ts';
import { boundedRecord } from './bounded-record.ts';

const DEFAULT_MAX_BYTES = 16 * 1024 * 1024;

export interface LogBatch {
  readonly records: readonly WireLogRecord[];
  readonly dropped: number;
}

export interface BatchLimits {
  readonly maxRecords: number;
  /** Of the records as JSON. One record is in a batch in any case; none is longer than MAX_RECORD_BYTES. */
  readonly maxBytes: number;
}

export interface LogBufferDeps {
  readonly clock: Clock;
  readonly maxRecords: number;
  readonly maxBytes?: number;
  readonly onRecord: (record: WireLogRecord) => void;
}

/** For what may come in floods and must not push others out: whoever has much to say asks first. */
export interface OutputLog extends Logger {
  /** Half of it stays for everybody else. */
  readonly hasRoom: boolean;
  /** Told each time that the parent has taken something. @returns ends that */
  onTaken(notify: () => void): () => void;
}

export class LogBuffer implements OutputLog {
  readonly #deps: LogBufferDeps;
  readonly #maxBytes: number;
  #waiting: SizedRecord[] = [];
  #bytes = 0;
  #nextSeq = 1;
  #dropped = 0;
  readonly #onTaken = new Set<() => void>();

  constructor(deps: LogBufferDeps) {
    this.#deps = deps;
    this.#maxBytes = deps.maxBytes ?? DEFAULT_MAX_BYTES;
  }

  log(level: LogLevel, event: LogEvent, fields: LogFields = {}): void {
    const timeMs = Math.round(this.#deps.clock.nowMs());
    const sized = boundedRecord({ seq: this.#nextSeq++, timeMs, level, event }, fields);
    this.#waiting.push(sized);
    this.#bytes += sized.bytes;
    while (this.#waiting.length > this.#deps.maxRecords || this.#bytes > this.#maxBytes) this.#dropOne();
    this.#deps.onRecord(sized.record);
  }

  get hasRoom(): boolean {
    return 2 * this.#waiting.length < this.#deps.maxRecords && 2 * this.#bytes < this.#maxBytes;
  }

  onTaken(notify: () => void): () => void {
    this.#onTaken.add(notify);
    return () => this.#onTaken.delete(notify);
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /** The oldest records that were not acknowledged yet. */
  batch({ maxRecords, maxBytes }: BatchLimits): LogBatch {
    const records: WireLogRecord[] = [];
    let total = 0;
    for (const { record, bytes } of this.#waiting) {
      total += bytes + ','.length;
      if (records.length > 0 && (records.length === maxRecords || total > maxBytes)) break;
      records.push(record);
    }
    return { records, dropped: this.#dropped };
  }

  /** The parent has kept everything up to `seq`. */
  acknowledge(seq: number): void {
    const first = this.#waiting.findIndex(({ record }) => record.seq > seq);
    this.#waiting = first === -1 ? [] : this.#waiting.slice(first);
    this.#bytes = this.#waiting.reduce((sum, { bytes }) => sum + bytes, 0);
    for (const notify of this.#onTaken) notify();
  }

  #dropOne(): void {
    const [dropped] = this.#waiting.splice(this.#leastImportant(), 1);
    this.#bytes -= dropped?.bytes ?? 0;
    this.#dropped += 1;
  }

  #leastImportant(): number {
    for (const level of LOG_LEVELS) {
      if (level === 'fatal') break;
      const oldest = this.#waiting.findIndex(({ record }) => record.level === level);
      if (oldest !== -1) return oldest;
    }
    return Math.floor(this.#waiting.length / 2);
  }
}
