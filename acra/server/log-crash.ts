/**
 * What the Go runtime itself writes when it ends the process (runtime/panic.go, runtime/traceback.go). Names of functions and
 * files, and the runtime's own reasons, pass; arguments in stack frames, registers and the values of panics do not.
 */

const RUNTIME_ERRORS = [
  'runtime error: (invalid memory address or nil pointer dereference',
  String.raw`(index|slice bounds) out of range [\w[\]: -]{1,80}`,
  'makeslice: (len|cap) out of range',
  'integer divide by zero)',
].join('|');

/** The reason of a panic that the runtime raised, which acra-server also gives as an `error` where it catches one. */
export const RUNTIME_ERROR = new RegExp(`^${RUNTIME_ERRORS}$`);

const CRASH_LINES: readonly RegExp[] = [
  new RegExp(`^(panic: ${RUNTIME_ERRORS})`),
  /^(fatal error: [a-z][a-z :-]{0,100})$/,
  /^(runtime: out of memory: cannot allocate \d+-byte block)/,
  /^(\[signal SIG[A-Z]+: [a-z ]+)/,
  /^(SIG[A-Z]+: [a-z ]{1,40})$/,
  /^(goroutine \d+) .{0,200}\[[A-Za-z ()]{1,60}(?:, [a-z\d ]{1,40})*\]:$/,
  /^(created by [\w./()*-]{1,200})/,
  /^([\w./()*-]{1,200})\((?:0x[0-9a-f]+|[{}?, .]|\.\.\.)*\)$/,
  /^\t([\w./@-]{1,200}\.(?:go|s):\d{1,6})/,
];

/** The part of a line of a Go crash that may be passed on, or undefined when the line is none. */
export function knownCrashText(line: string): string | undefined {
  for (const pattern of CRASH_LINES) {
    const text = pattern.exec(line)?.[1];
    if (text !== undefined) return text;
  }
  return undefined;
}
