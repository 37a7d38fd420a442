/** Numbers and times in words. Times are UTC, as in the log. */

const UNITS = /** @type {const} */ (['B', 'KiB', 'MiB', 'GiB', 'TiB']);
const STEP = 1024;
const SECOND_MS = 1_000;

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

/** @type {readonly (readonly [unit: string, ms: number])[]} */
const SPANS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', SECOND_MS],
];

/** @param {number} ms `850 ms`, `1.5 s`, `12 s`, `3 min 5 s`, `4 h`, `12 d 3 h` */
export function duration(ms) {
  if (ms < SECOND_MS) return `${Math.max(0, Math.round(ms))} ms`;
  if (ms < 10 * SECOND_MS) return `${Number((ms / SECOND_MS).toFixed(1))} s`;
  const largest = SPANS.findIndex(([, length]) => ms >= length);
  let rest = ms;
  const parts = SPANS.slice(largest, largest + 2).flatMap(([unit, length]) => {
    const whole = Math.floor(rest / length);
    rest -= whole * length;
    return whole === 0 ? [] : [`${whole} ${unit}`];
  });
  return parts.join(' ');
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
