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

/** The values alone. @throws UsageError for a word that is no flag too */
export function onlyFlags<const T extends Options>(args: readonly string[], options: T) {
  const { values, positionals } = parsed(args, options);
  if (positionals[0] === undefined) return values;
  throw new UsageError(`${positionals[0]}: there are only flags`);
}

/** @throws UsageError */
export function numberOf(name: string, text: string, isAllowed: (value: number) => boolean, allowed: string): number {
  const value = Number(text);
  if (text.trim() !== '' && isAllowed(value)) return value;
  throw new UsageError(`--${name} ${text}: allowed is ${allowed}`);
}

/** From `least` to `most`. @throws UsageError */
export function wholeNumberOf(name: string, text: string, least: number, most: number): number {
  const isAllowed = (value: number) => Number.isInteger(value) && value >= least && value <= most;
  return numberOf(name, text, isAllowed, `a whole number from ${least} to ${most}`);
}

/** Names behind commas, or all of them. @throws UsageError */
export function namesOf(name: string, text: string | undefined, known: readonly string[]): readonly string[] {
  if (text === undefined) return known;
  const asked = text.split(',');
  const unknown = asked.find((each) => !known.includes(each));
  if (unknown === undefined) return asked;
  throw new UsageError(`--${name} ${unknown}: there are ${known.join(', ')}`);
}
