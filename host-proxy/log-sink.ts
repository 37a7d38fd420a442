/**
 * One stream of JSON lines for the parent's own records and the enclave's. The enclave's records keep their own time and
 * level, and carry boot id and sequence number, so that a gap can be seen.
 */
import { pino } from 'pino';
import type { WireLogRecord } from '../config/wire/messages.ts';
import type { Clock } from '../runtime/clock.ts';
import type { LogEvent, LogFields, Logger, LogLevel } from '../runtime/log.ts';
import { HostProxyError } from './errors.ts';
import type { LineBuffer } from './lines/line-buffer.ts';

export interface LogSinkOptions {
  readonly level: LogLevel;
  /** Absolute path; standard output when absent. */
  readonly file: string | undefined;
  readonly clock: Clock;
  /** Keeps the newest records for who asks. */
  readonly recent?: LineBuffer;
}

type Destination = ReturnType<typeof pino.destination>;

function openDestination(file: string | undefined): Destination {
  try {
    return pino.destination({ dest: file ?? 1, sync: true, ...(file === undefined ? {} : { mode: 0o640 }) });
  } catch (cause) {
    throw new HostProxyError('HOST_LOG_FILE', `cannot append to ${file}`, { cause });
  }
}

/** @throws HostProxyError HOST_LOG_FILE */
export class LogSink implements Logger {
  readonly #pino: pino.Logger;
  readonly #clock: Clock;
  readonly #destination: Destination;
  readonly #ownsFile: boolean;

  constructor(options: LogSinkOptions) {
    this.#clock = options.clock;
    this.#ownsFile = options.file !== undefined;
    this.#destination = openDestination(options.file);
    const formatters = { level: (label: string) => ({ level: label }) };
    this.#pino = pino(
      { level: options.level, base: null, timestamp: false, messageKey: 'message', formatters },
      this.#copying(options.recent),
    );
  }

  log(level: LogLevel, event: LogEvent, fields: LogFields = {}): void {
    this.#pino[level]({ time: new Date(this.#clock.nowMs()).toISOString(), source: 'host-proxy', event, ...fields });
  }

  /** A record from the enclave, as the enclave wrote it; its fields cannot stand in for ours. */
  enclaveRecord(bootId: string, record: WireLogRecord): void {
    const { seq, timeMs, level, event, fields } = record;
    this.#pino[level]({ time: new Date(timeMs).toISOString(), source: 'enclave', event, bootId, seq, fields });
  }

  #copying(recent: LineBuffer | undefined): pino.DestinationStream {
    const destination = this.#destination;
    if (!recent) return destination;
    return {
      write(line: string) {
        destination.write(line);
        recent.push(line.trimEnd());
      },
    };
  }

  close(): void {
    this.#destination.flushSync();
    if (this.#ownsFile) this.#destination.end();
  }
}
