/** Values of options, as commander reads them. */
import { InvalidArgumentError } from 'commander';

export function parsePort(text: string): number {
  const port = Number(text);
  if (/^\d{1,5}$/.test(text) && port > 0 && port < 65_536) return port;
  throw new InvalidArgumentError('must be 1 to 65535');
}

export const parseCount =
  (least: number, most: number) =>
  (text: string): number => {
    const count = Number(text);
    if (/^\d{1,15}$/.test(text) && count >= least && count <= most) return count;
    throw new InvalidArgumentError(`must be ${least} to ${most}`);
  };

const UNITS_MS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const MAX_DURATION_MS = 3_660 * 86_400_000;

/** `90d`, `12h`, `30m`, `45s`. @returns milliseconds, at most ten years of them */
export function parseDuration(text: string): number {
  const [, count, unit = ''] = /^([1-9]\d{0,8})([smhd])$/.exec(text) ?? [];
  const durationMs = Number(count) * (UNITS_MS[unit] ?? Number.NaN);
  if (durationMs <= MAX_DURATION_MS) return durationMs;
  throw new InvalidArgumentError('must be a number with a unit, such as 45s, 30m, 12h or 90d, and at most ten years');
}

/** Of an option that may be given several times. */
export function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}
