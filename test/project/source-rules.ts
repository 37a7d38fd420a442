/** What a source file may not hold, as functions of its text, so that the rules themselves can be tried. */
import { withoutComments } from './imports.ts';

export const MAX_LINES = 300;

/** A final newline begins no line. */
export function lineCount(text: string): number {
  return text.split('\n').length - (text.endsWith('\n') ? 1 : 0);
}

/** `AggregateError` carries several causes and is the cause of an error of ours. */
const BARE = /(?<![.\w])(?:Error|(?:Eval|Range|Reference|Syntax|Type|URI)Error)\(|\bthrow\s+(?:['"`]|\{)/;
/** `new Error(…)`, `Error(…)`, the other errors of the language, and thrown texts, as `line: text`. */
export function bareErrorsIn(text: string): string[] {
  return withoutComments(text)
    .split('\n')
    .flatMap((line, index) => (BARE.test(line) ? [`${index + 1}: ${line.trim()}`] : []));
}

const UNCODED = /class (\w+)(?:<[^{]*>)? extends (?:Eval|Range|Reference|Syntax|Type|URI|Aggregate)?Error\b/g;

/** Classes that extend an error of the language itself, as CodedError does. */
export function uncodedClassesIn(text: string): string[] {
  return [...withoutComments(text).matchAll(UNCODED)].flatMap(([, name]) => (name === undefined ? [] : [name]));
}

const STRING = /'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\[\s\S]|[^`\\])*`/g;
/** What ends a wait by the clock and not by what is waited for. */
const WAITS = [
  /(?<![.\w])set(?:Timeout|Interval)\s*\(/,
  /\bsystemClock\s*\.\s*sleep\b/,
  /\bAtomics\.wait(?:Async)?\s*\(/,
  /\bpauseThread\s*\(/,
  /(?:whenAborted|once)\(\s*AbortSignal\.timeout/,
  /\bwhile\s*\(.*(?:Date\.now|performance\.now|nowMs|monotonicMs)\(/,
];
const TIMERS =
  /import\s+\{[^}]*\b(?:setTimeout|setInterval|scheduler)\b[^}]*\}\s+from\s+'node:timers(?:\/promises)?';?/g;

/** Waits for real time, as `line: text`. What stands in a string is another program's. */
export function realWaitsIn(text: string): string[] {
  const code = withoutComments(text);
  const imported = [...code.matchAll(TIMERS)].map(({ 0: found, index }) => [code.slice(0, index), found] as const);
  const lines = code.split('\n');
  const used = code
    .replace(STRING, (string) => string.replace(/[^\n]/g, ''))
    .split('\n')
    .flatMap((line, index) => (WAITS.some((wait) => wait.test(line)) ? [`${index + 1}: ${lines[index]?.trim()}`] : []));
  return [...imported.map(([before, found]) => `${before.split('\n').length}: ${found}`), ...used];
}
