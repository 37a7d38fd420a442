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

/** What ends a wait by the clock and not by what is waited for. */
const WAITS =
  /\bset(?:Timeout|Interval)\s*\(|\bsleep\s*\(|node:timers\/promises|\bscheduler\.wait|\bAtomics\.wait\b|\bpauseThread\(|\bpoll\w*\(/;

/** Waits for real time, as `line: text`. Programs that tests write as text for children are judged too. */
export function realWaitsIn(text: string): string[] {
  return withoutComments(text)
    .split('\n')
    .flatMap((line, index) => (WAITS.test(line) ? [`${index + 1}: ${line.trim()}`] : []));
}
