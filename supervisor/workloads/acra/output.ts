/**
 * acra-server's log: read always (it dies of SIGPIPE when nobody does, acra-server contract 3.3), passed on by allow-list,
 * and listened to: a record that says a statement went out unencrypted, or that a poison record was read, is an alarm.
 */
import { describeLogCode } from '../../../acra/server/log-codes.ts';
import { parseAcraLogLine } from '../../../acra/server/log-record.ts';
import type { Logger } from '../../../runtime/log.ts';
import { LineSplitter } from '../../../system/lines/line-splitter.ts';

const MAX_LINE_BYTES = 16 * 1024;
const ALARMING: ReadonlySet<string> = new Set(['plaintext', 'poison']);

export class AcraOutput {
  readonly #logger: Logger;
  #codes = new Set<number>();
  #alarms = 0;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** Codes of the warnings and errors of the process that runs, or ran last. */
  get codes(): ReadonlySet<number> {
    return this.#codes;
  }

  /** Since the supervisor started. */
  get alarms(): number {
    return this.#alarms;
  }

  /** Listens to a process that was just launched; what the last one said is forgotten. */
  attach(streams: readonly (NodeJS.ReadableStream | null)[]): void {
    this.#codes = new Set();
    for (const stream of streams) {
      const lines = new LineSplitter(MAX_LINE_BYTES, (line) => this.#read(line));
      stream?.on('data', (chunk: Buffer) => lines.push(chunk));
      stream?.on('end', () => lines.end());
    }
  }

  #read(line: string): void {
    if (line === '') return;
    const { level, message, code, error, sessionId, clientId, withheldBytes } = parseAcraLogLine(line, MAX_LINE_BYTES);
    this.#logger.log(level, 'acra.log', { message, acraCode: code, error, sessionId, clientId, withheldBytes });
    if (code === undefined) return;
    this.#codes.add(code);
    const concern = describeLogCode(code);
    if (!concern || !ALARMING.has(concern.concern)) return;
    this.#alarms += 1;
    this.#logger.log('fatal', 'acra.alarm', {
      concern: concern.concern,
      meaning: concern.meaning,
      acraCode: code,
      clientId,
    });
  }
}
