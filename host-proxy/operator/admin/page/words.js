/** Numbers and times in words. Times are UTC, as in the log. */

const UNITS = /** @type {const} */ (['B', 'KiB', 'MiB', 'GiB', 'TiB']);
const STEP = 1024;
const SECOND_MS = 1_000;
const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;

/** @param {number} value `12,345` */
export const count = (value) => Math.round(value).toLocaleString('en-US');

/** @param {number} value of bytes: `1.5 MiB` */
export function bytes(value) {
  let rest = value;
  let unit = 0;
  while (rest >= STEP && unit < UNITS.length - 1) {
    rest /= STEP;
    unit += 1;
  }
  return `${unit === 0 || rest >= 100 ? Math.round(rest) : rest.toFixed(1)} ${UNITS[unit]}`;
}

/** @param {number} ms since the epoch: `2026-11-30 19:36:20 UTC` */
export const time = (ms) => `${new Date(ms).toISOString().slice(0, 19).replace('T', ' ')} UTC`;

/** @param {number} ms `850 ms`, `12 s`, `3 min 5 s`, `4 h 2 min`, `12 d 3 h` */
export function duration(ms) {
  if (ms < SECOND_MS) return `${Math.max(0, Math.round(ms))} ms`;
  if (ms < MINUTE_MS) return `${(ms / SECOND_MS).toFixed(ms < 10 * SECOND_MS ? 1 : 0)} s`;
  const whole = Math.floor(ms / SECOND_MS) * SECOND_MS;
  if (whole < HOUR_MS) return `${Math.floor(whole / MINUTE_MS)} min ${(whole % MINUTE_MS) / SECOND_MS} s`;
  if (whole < DAY_MS) return `${Math.floor(whole / HOUR_MS)} h ${Math.floor((whole % HOUR_MS) / MINUTE_MS)} min`;
  return `${Math.floor(whole / DAY_MS)} d ${Math.floor((whole % DAY_MS) / HOUR_MS)} h`;
}

/**
 * Of a tally those that are not 0, largest first.
 * @param {Readonly<Record<string, number>>} tally
 */
export const counted = (tally) =>
  Object.entries(tally)
    .filter(([, value]) => value > 0)
    .sort(([, a], [, b]) => b - a);

/** @param {Readonly<Record<string, number>>} tally `3 refused_cid, 1 idle`, or undefined where all are 0 */
export function tallied(tally) {
  const parts = counted(tally).map(([name, value]) => `${count(value)} ${name.replaceAll('_', ' ')}`);
  return parts.length === 0 ? undefined : parts.join(', ');
}
