/** Keeps records for assertions. */
import type { LogEvent, LogFields, Logger, LogLevel } from '../../runtime/log.ts';

export interface MemoryRecord {
  readonly level: LogLevel;
  readonly event: LogEvent;
  readonly fields: LogFields;
}

export class MemoryLogger implements Logger {
  readonly records: MemoryRecord[] = [];

  log(level: LogLevel, event: LogEvent, fields: LogFields = {}): void {
    this.records.push({ level, event, fields });
  }

  events(): readonly string[] {
    return this.records.map(({ event }) => event);
  }
}
