/**
 * UTCTime and GeneralizedTime as certificates have them: whole seconds, in UTC, of a day that there is.
 * Specification: RFC 5280 section 4.1.2.5 (years of two digits: 50 to 99 are in the twentieth century).
 */
import { FormatError } from '../format-error.ts';
import type { Asn1Node } from './reader.ts';
import { TAG } from './reader.ts';

const FORMS: ReadonlyMap<number, RegExp> = new Map([
  [TAG.utcTime, /^(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})Z$/],
  [TAG.generalizedTime, /^(\d{4})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})Z$/],
]);

const fullYear = (year: string) => (year.length === 4 ? year : `${Number(year) < 50 ? '20' : '19'}${year}`);

/** @returns milliseconds since the epoch. @throws FormatError */
export function expectTimeMs(what: string, node: Asn1Node | undefined): number {
  const fields = FORMS.get(node?.tag ?? 0)?.exec(node?.content.toString('latin1') ?? '');
  if (!fields) throw new FormatError(`${what} is no time of a certificate`, node?.offset);
  const [, year = '', month, day, hours, minutes, seconds] = fields;
  const iso = `${fullYear(year)}-${month}-${day}T${hours}:${minutes}:${seconds}.000Z`;
  const timeMs = Date.parse(iso);
  // Date.parse takes 31 February for 3 March, and 24:00 for the next day.
  if (!Number.isNaN(timeMs) && new Date(timeMs).toISOString() === iso) return timeMs;
  throw new FormatError(`${what} names a time that there is not`, node?.offset);
}
