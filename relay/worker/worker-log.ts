/** The worker's end of the logger: records go to the main thread, repeated ones only so often. */
import type { LogFields, LogLevel } from '../../runtime/log.ts';
import type { RelayEvent } from '../events.ts';
import { LogLimiter } from './log-limiter.ts';

export interface WorkerRecord {
  readonly level: LogLevel;
  readonly event: RelayEvent;
  readonly fields: LogFields;
}

export class WorkerLog {
  readonly #post: (record: WorkerRecord) => void;
  readonly #nowMs: () => number;
  readonly #limiter = new LogLimiter();
  /** Whether each connection's opening and orderly end are to be logged. */
  readonly isTracing: boolean;

  constructor(parts: { post: (record: WorkerRecord) => void; nowMs: () => number; isTracing: boolean }) {
    this.#post = parts.post;
    this.#nowMs = parts.nowMs;
    this.isTracing = parts.isTracing;
  }

  /** A record that nobody outside can cause at will. */
  always(level: LogLevel, event: RelayEvent, fields: LogFields): void {
    this.#post({ level, event, fields });
  }

  /** A record that a peer can cause: limited for each event and route. */
  limited(level: LogLevel, event: RelayEvent, route: string, fields: LogFields): void {
    const suppressed = this.#limiter.admit(`${route} ${event}`, this.#nowMs());
    if (suppressed === undefined) return;
    this.#post({ level, event, fields: { route, ...fields, suppressed: suppressed > 0 ? suppressed : undefined } });
  }

  /** Tells what was suppressed and not told yet. */
  flush(): void {
    for (const [kind, suppressed] of this.#limiter.untold()) {
      this.#post({ level: 'info', event: 'relay.suppressed', fields: { kind, suppressed } });
    }
  }

  forgetRoute(route: string): void {
    this.#limiter.forget(`${route} `);
  }
}
