/**
 * Reads acra-server's log, a line at a time (JSON, acra-server contract 3.6), into records that may leave the enclave.
 * Texts pass by allow-list only (log-messages.ts, log-errors.ts). Of the fields these pass, because each is a number or an identifier
 * and none can hold a statement or a value: code, session_id, client_id, version, unixTime, interrupt_side.
 */
import type { LogLevel } from '../../runtime/log.ts';
import { isClientId } from '../keystore/layout.ts';
import { UNREADABLE_RECORD } from './log-concerns.ts';
import { knownCrashText } from './log-crash.ts';
import { knownError } from './log-errors.ts';
import type { LogLine } from './log-lines.ts';
import { isKnownMessage } from './log-messages.ts';

/** Stands in for a text that is not on the list. */
export const WITHHELD = 'text withheld: not on the list of texts that hold no data';

export interface AcraLogRecord {
  readonly level: LogLevel;
  readonly message: string;
  /**
   * Only on warnings and errors: at start, a record of level info carries 101 merely to say that poison records will
   * be detected.
   */
  readonly code?: number;
  readonly error?: string;
  readonly timeMs?: number;
  readonly sessionId?: number;
  readonly clientId?: string;
  readonly interruptSide?: string;
  readonly version?: string;
  /** Bytes of the line whose text was replaced or left out; absent when nothing was. */
  readonly withheldBytes?: number;
}

const LEVELS: ReadonlyMap<unknown, LogLevel> = new Map([
  ['trace', 'debug'],
  ['debug', 'debug'],
  ['info', 'info'],
  ['warning', 'warn'],
  ['error', 'error'],
  ['fatal', 'fatal'],
  ['panic', 'fatal'],
]);

type Fields = Readonly<Record<string, unknown>>;

function parseJson(line: string): Fields | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? (value as Fields) : undefined;
  } catch {
    return undefined;
  }
}

/** Before it has read `logging_format`, acra-server writes `time="…" level=error msg="…" error="…"`. */
function parseKeyValues(line: string): Fields | undefined {
  if (!/^time="[^"]{1,40}" level=[a-z]+ msg=/.test(line)) return undefined;
  const pairs = line.matchAll(/(\w+)=("(?:[^"\\]|\\.)*"|\S*)/g);
  const unquoted = [...pairs].map(([, name = '', value = '']) => [name, parseQuoted(value)] as const);
  return Object.fromEntries(unquoted);
}

function parseQuoted(text: string): string {
  return text.startsWith('"') ? text.slice(1, -1).replace(/\\(.)/g, '$1') : text;
}

function integer(value: unknown): number | undefined {
  const number = typeof value === 'string' && /^\d{1,15}$/.test(value) ? Number(value) : value;
  return typeof number === 'number' && Number.isSafeInteger(number) && number >= 0 ? number : undefined;
}

function matching(value: unknown, accept: (text: string) => boolean): string | undefined {
  return typeof value === 'string' && accept(value) ? value : undefined;
}

/** `unixTime` is seconds with milliseconds, as text. */
function timeMs(value: unknown): number | undefined {
  const text = matching(value, (each) => /^\d{1,12}\.\d{3}$/.test(each));
  return text === undefined ? undefined : Math.round(Number(text) * 1000);
}

/** Leaves out what is undefined, as exactOptionalPropertyTypes wants it. */
function defined<Shape extends object>(shape: { [Key in keyof Shape]: Shape[Key] | undefined }): Shape {
  return Object.fromEntries(Object.entries(shape).filter(([, value]) => value !== undefined)) as Shape;
}

function fromFields(fields: Fields, lineBytes: number): AcraLogRecord {
  const level = LEVELS.get(fields['level']) ?? 'error';
  const serious = level === 'warn' || level === 'error' || level === 'fatal';
  const message = matching(fields['msg'], isKnownMessage);
  const error = typeof fields['error'] === 'string' ? knownError(fields['error']) : undefined;
  const isWhole = message !== undefined && ((fields['error'] ?? undefined) === undefined || error?.isWhole === true);
  return defined<AcraLogRecord>({
    level,
    message: message ?? WITHHELD,
    code: serious ? integer(fields['code']) : undefined,
    error: error?.text,
    timeMs: timeMs(fields['unixTime']),
    sessionId: integer(fields['session_id']),
    clientId: matching(fields['client_id'], isClientId),
    interruptSide: matching(fields['interrupt_side'], (text) => /^[A-Za-z-]{1,40}$/.test(text)),
    version: matching(fields['version'], (text) => /^\d{1,4}\.\d{1,4}\.\d{1,4}$/.test(text)),
    withheldBytes: isWhole ? undefined : lineBytes,
  });
}

/**
 * Never throws. What is no log record (the crash of the Go runtime, a usage text) becomes a record of level error; what should be
 * one and cannot be read is a fatal one, because nobody knows what it told.
 */
export function parseAcraLogLine({ text, writtenBytes, isCut }: LogLine): AcraLogRecord {
  const fields = parseJson(text) ?? parseKeyValues(text);
  if (fields) return fromFields(fields, writtenBytes);
  if (isCut || text.startsWith('{')) {
    return { level: 'fatal', message: UNREADABLE_RECORD, withheldBytes: writtenBytes };
  }
  const crash = knownCrashText(text);
  return crash === undefined
    ? { level: 'error', message: WITHHELD, withheldBytes: writtenBytes }
    : { level: 'error', message: crash };
}
