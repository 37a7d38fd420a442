/**
 * A log record never exceeds what one control frame may hold, whatever its fields are: a record that the parent refuses would be
 * sent again for ever, and nothing after it.
 */
import type { LogFields, LogValue } from '../../runtime/log.ts';
import type { WireLogRecord } from '../../wire/control/messages.ts';
import { MAX_NAME_CHARACTERS } from '../../wire/control/messages.ts';

const MAX_VALUE_CHARACTERS = 2_000;
export const MAX_RECORD_BYTES = 16 * 1024;
/** Names of the fields that were shortened or left out. */
const MARK = 'shortened';

export interface SizedRecord {
  readonly record: WireLogRecord;
  /** As JSON. */
  readonly bytes: number;
}

function sized(record: WireLogRecord): SizedRecord {
  return { record, bytes: Buffer.byteLength(JSON.stringify(record)) };
}

/** Fields with values of at most `maxCharacters`; which ones were shortened stands in a field of its own. */
function shortened(fields: LogFields, maxCharacters: number): Record<string, LogValue> {
  const bounded: Record<string, LogValue> = {};
  const marks: string[] = [];
  for (const [name, value] of Object.entries(fields)) {
    if (value === undefined) continue;
    const isLong = typeof value === 'string' && value.length > maxCharacters;
    if (isLong) marks.push(name);
    bounded[name.slice(0, MAX_NAME_CHARACTERS)] = isLong ? value.slice(0, maxCharacters) : value;
  }
  return marks.length === 0 ? bounded : { ...bounded, [MARK]: marks.join(',').slice(0, maxCharacters) };
}

export function boundedRecord(record: Omit<WireLogRecord, 'fields'>, fields: LogFields): SizedRecord {
  const event = record.event.slice(0, MAX_NAME_CHARACTERS);
  for (let maxCharacters = MAX_VALUE_CHARACTERS; maxCharacters >= 10; maxCharacters = Math.floor(maxCharacters / 4)) {
    const candidate = sized({ ...record, event, fields: shortened(fields, maxCharacters) });
    if (candidate.bytes <= MAX_RECORD_BYTES) return candidate;
  }
  return sized({ ...record, event, fields: { [MARK]: 'all fields were left out: there are too many' } });
}
