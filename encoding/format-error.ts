/**
 * What the readers and writers of encodings throw: what is wrong, and at which byte. It never leaves the folder that called
 * them bare; each boundary wraps it in its own coded error as the cause.
 */
export class FormatError extends Error {
  constructor(message: string, offset?: number, cause?: unknown) {
    super(offset === undefined ? message : `${message} at byte ${offset}`, cause === undefined ? {} : { cause });
    this.name = 'FormatError';
  }
}

/** Runs a reader; a FormatError becomes what `wrap` makes of it, all else passes through. */
export function wrapFormatError<Result>(read: () => Result, wrap: (cause: FormatError) => Error): Result {
  try {
    return read();
  } catch (error) {
    if (error instanceof FormatError) throw wrap(error);
    throw error;
  }
}
