/** What a record of a program may hold: its supervisor takes no longer text, and ends the program that sends one. Strangers have their part in some. */
import type { LogFields, LogValue } from '../runtime/log.ts';

export const MAX_LOG_CHARACTERS = 2_000;

/** The same with its texts cut to that. */
export function loggable(fields: LogFields): LogFields {
  const cut = (field: LogValue | undefined) => (typeof field === 'string' ? field.slice(0, MAX_LOG_CHARACTERS) : field);
  return Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, cut(field)]));
}
