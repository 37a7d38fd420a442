/**
 * acra-server's log: read always (it dies of SIGPIPE when nobody does, acra-server contract 3.3), passed on by allow-list,
 * and listened to: a record that says a statement went out unencrypted, or that a poison record was read, is an alarm. What it
 * writes more than once for one statement is one alarm.
 */
import { AlarmGroups } from '../../../acra/server/log-alarms.ts';
import type { AlarmConcern } from '../../../acra/server/log-concerns.ts';
import { ALARM_CONCERNS, ALARM_LEVELS, alarmOf } from '../../../acra/server/log-concerns.ts';
import type { LogLine } from '../../../acra/server/log-lines.ts';
import { LogLines } from '../../../acra/server/log-lines.ts';
import type { AcraLogRecord } from '../../../acra/server/log-record.ts';
import { parseAcraLogLine, WITHHELD } from '../../../acra/server/log-record.ts';
import type { Logger } from '../../../runtime/log.ts';

/** undefined when the record is no error, or nothing of it may be told. */
function errorText({ level, message, error }: AcraLogRecord): string | undefined {
  if (level !== 'error' && level !== 'fatal') return undefined;
  const texts = [message === WITHHELD ? undefined : message, error].filter((text) => text !== undefined);
  return texts.length === 0 ? undefined : texts.join(': ');
}

export class AcraOutput {
  readonly #child: string;
  readonly #logger: Logger;
  readonly #onRecord: (record: AcraLogRecord) => void;
  #codes = new Set<number>();
  #groups = new AlarmGroups();
  #lastError: string | undefined;
  readonly #alarms = new Map<AlarmConcern, number>(ALARM_CONCERNS.map((concern) => [concern, 0]));

  /**
   * @param child of which acra-server the records are
   * @param onRecord who else listens
   */
  constructor(child: string, logger: Logger, onRecord: (record: AcraLogRecord) => void = () => undefined) {
    this.#child = child;
    this.#logger = logger;
    this.#onRecord = onRecord;
  }

  /** Codes of the warnings and errors of the process that runs, or ran last. */
  get codes(): ReadonlySet<number> {
    return this.#codes;
  }

  /** What the last error that told anything says, of the process that runs, or ran last; only what may leave the enclave. */
  get lastError(): string | undefined {
    return this.#lastError;
  }

  /** Since the supervisor started, of every concern. */
  get alarms(): ReadonlyMap<AlarmConcern, number> {
    return this.#alarms;
  }

  /** Listens to a process that was just launched; what the last one said is forgotten. */
  attach(streams: readonly (NodeJS.ReadableStream | null)[]): void {
    this.#codes = new Set();
    this.#groups = new AlarmGroups();
    this.#lastError = undefined;
    for (const stream of streams) {
      const lines = new LogLines((line) => this.#read(line));
      stream?.on('data', (chunk: Buffer) => lines.push(chunk));
      stream?.on('end', () => lines.end());
    }
  }

  #read(line: LogLine): void {
    const record = parseAcraLogLine(line);
    const { level, message, code, error, sessionId, clientId, withheldBytes } = record;
    const child = this.#child;
    this.#logger.log(level, 'acra.log', { child, message, acraCode: code, error, sessionId, clientId, withheldBytes });
    if (code !== undefined) this.#codes.add(code);
    this.#lastError = errorText(record) ?? this.#lastError;
    this.#raiseAlarm(record);
    this.#onRecord(record);
  }

  #raiseAlarm(record: AcraLogRecord): void {
    const alarm = alarmOf(record);
    if (!alarm || !this.#groups.begins(alarm.concern, record)) return;
    const { concern, meaning } = alarm;
    const { message, code, sessionId, clientId } = record;
    this.#alarms.set(concern, (this.#alarms.get(concern) ?? 0) + 1);
    const child = this.#child;
    this.#logger.log(ALARM_LEVELS[concern], 'acra.alarm', {
      child,
      concern,
      meaning,
      message,
      acraCode: code,
      sessionId,
      clientId,
    });
  }
}
