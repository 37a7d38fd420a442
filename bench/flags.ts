/** The command lines of the benchmarks: what there is not is refused before anything starts, with what is allowed. */
import { type ParseArgsConfig, parseArgs } from 'node:util';

/** Somebody asked for what there is not. */
export class UsageError extends Error {}

type Options = NonNullable<ParseArgsConfig['options']>;

/** @throws UsageError for a flag that there is not, or one without its value */
export function parsed<const T extends Options>(args: readonly string[], options: T) {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true });
  } catch (cause) {
    const known = Object.keys(options).map((name) => `--${name}`);
    const message = cause instanceof Error ? cause.message.split('. ')[0] : '';
    throw new UsageError(`${message}: there are ${known.join(', ')}`, { cause });
  }
}

/** @throws UsageError */
export function numberOf(name: string, text: string, isAllowed: (value: number) => boolean, allowed: string): number {
  const value = Number(text);
  if (text.trim() !== '' && isAllowed(value)) return value;
  throw new UsageError(`--${name} ${text}: allowed is ${allowed}`);
}

/** @throws UsageError */
export function whole(name: string, text: string, { least = 1, most }: { least?: number; most: number }): number {
  const isAllowed = (value: number) => Number.isInteger(value) && value >= least && value <= most;
  return numberOf(name, text, isAllowed, `a whole number from ${least} to ${most}`);
}
