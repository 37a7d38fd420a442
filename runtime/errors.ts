/**
 * One shape for every error that leaves a folder: a stable code, what was found, what is allowed, what to do, and the cause.
 *
 * Each boundary (relay, attestation, …) declares a catalogue of its codes and one class that extends CodedError;
 * `docs/errors.md` is compared with all catalogues by a test. Codes are never renamed: operators and alarms match on them.
 */

/** What an operator reads about a code: what it means, and what to do about it. */
interface ErrorEntry {
  readonly meaning: string;
  readonly action: string;
}

/** All codes of one boundary. Keys are the codes, in the form `BOUNDARY_REASON`. */
export type ErrorCatalogue = Readonly<Record<string, ErrorEntry>>;

/** Details of one occurrence. `found` and `allowed` must never hold a secret. */
export interface ErrorDetails {
  readonly found?: string;
  readonly allowed?: string;
  /** Overrides the catalogue's general advice where the occurrence knows better. */
  readonly action?: string;
  readonly cause?: unknown;
  /** The message says already all that the cause does; people are not told twice. */
  readonly causeIsTold?: true;
}

export class CodedError<Code extends string = string> extends Error {
  readonly code: Code;
  readonly found: string | undefined;
  readonly allowed: string | undefined;
  readonly action: string | undefined;
  readonly causeIsTold: boolean;

  constructor(code: Code, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = new.target.name;
    this.code = code;
    this.found = details.found;
    this.allowed = details.allowed;
    this.action = details.action;
    this.causeIsTold = details.causeIsTold === true;
  }
}

/** The code of a CodedError, or of a Node system error (`ECONNREFUSED`), or undefined. */
export function errorCode(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/** One line for people: message, what was found and allowed, then the messages of the causes. No stack, no secrets. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return describeThrown(error);
  const parts = [error.message || error.name];
  if (error instanceof CodedError) {
    if (error.found !== undefined) parts.push(`found: ${error.found}`);
    if (error.allowed !== undefined) parts.push(`allowed: ${error.allowed}`);
  }
  const own = parts.join('; ');
  const isTold = error.cause === undefined || (error instanceof CodedError && error.causeIsTold);
  return isTold ? own : `${own}; cause: ${describeError(error.cause)}`;
}

/** Anything can be thrown, even what has no text of its own. */
function describeThrown(thrown: unknown): string {
  return typeof thrown === 'object' && thrown !== null ? Object.prototype.toString.call(thrown) : String(thrown);
}
