/**
 * One stream of JSON lines for the parent's own records and the enclave's. The enclave's records keep their own time and
 * level, and carry boot id and sequence number, so that a gap can be seen. A log that cannot be written (a full disk)
 * never stops the daemon. What a terminal or a page of logs would obey is escaped, as JSON allows: a record holds what it held.
 */
import { pino } from 'pino';
import type { Clock } from '../../runtime/clock.ts';
import { harmlessJson } from '../../runtime/harmless-text.ts';
import type { LogEvent, LogFields, Logger, LogLevel } from '../../runtime/log.ts';
import type { LineBuffer } from '../../system/lines/line-buffer.ts';
import { LineWriter } from '../../system/lines/line-writer.ts';
import type { WireLogRecord } from '../../wire/control/messages.ts';
import { HostProxyError } from '../errors.ts';

export interface LogSinkOptions {
  readonly level: LogLevel;
  /** Absolute path; standard output when absent. */
  readonly file: string | undefined;
  readonly clock: Clock;
  /** Keeps the newest records for who asks. */
  readonly recent?: LineBuffer;
}

function openWriter(file: string | undefined): LineWriter {
  try {
    return new LineWriter({ file });
  } catch (cause) {
    throw new HostProxyError('HOST_LOG_FILE', `cannot append to ${file}`, { cause });
  }
}

/** @throws HostProxyError HOST_LOG_FILE */
export class LogSink implements Logger {
  readonly #pino: pino.Logger;
  readonly #clock: Clock;
  readonly #writer: LineWriter;
  readonly #recent: LineBuffer | undefined;
  /** The line of the last record, when it could not be written. */
  #unwritten: string | undefined;

  constructor(options: LogSinkOptions) {
    this.#clock = options.clock;
    this.#recent = options.recent;
    this.#writer = openWriter(options.file);
    const formatters = { level: (label: string) => ({ level: label }) };
    this.#pino = pino(
      { level: options.level, base: null, timestamp: false, messageKey: 'message', formatters },
      { write: (line) => this.#take(harmlessJson(line.trimEnd())) },
    );
  }

  log(level: LogLevel, event: LogEvent, fields: LogFields = {}): void {
    this.#pino[level]({ time: new Date(this.#clock.nowMs()).toISOString(), source: 'host-proxy', event, ...fields });
  }

  /**
   * A record from the enclave, as the enclave wrote it; its fields cannot stand in for ours.
   * @returns its line when that could not be written, for `rewrite`; undefined when it is kept.
   */
  enclaveRecord(bootId: string, record: WireLogRecord): string | undefined {
    const { seq, timeMs, level, event, fields } = record;
    this.#unwritten = undefined;
    this.#pino[level]({ time: new Date(timeMs).toISOString(), source: 'enclave', event, bootId, seq, fields });
    return this.#unwritten;
  }

  /** Another attempt. @returns whether the line is written now. */
  rewrite(line: string): boolean {
    return this.#writer.write(line);
  }

  /** Attempts to write a line that failed. */
  get refused(): number {
    return this.#writer.refused;
  }

  /** Goes over to the file that the name stands for now; the next line would do so too. */
  reopen(): void {
    this.#writer.reopen();
  }

  #take(line: string): void {
    this.#unwritten = this.#writer.write(line) ? undefined : line;
    this.#recent?.push(line);
  }

  close(): void {
    this.#writer.close();
  }
}
