/**
 * What may be told of an error that ended one of our programs: its kind, its code, and where in our code it was. The message itself
 * may hold what a client or the database sent.
 */

/** `    at Guard.#take (file:///acra-enclave/sessions-guard-main.mjs:12:34)` */
const FRAME = /^\s+at [\w.#<>[\] ]{0,120}\(?(?:file:\/\/|node:)[\w./-]{1,200}(?::\d{1,7}){0,2}\)?$/;
/** `TypeError: …`, `Error [ERR_X]: …`, also behind `Uncaught`. */
const KIND = /^(?:Uncaught )?([A-Z][A-Za-z]{0,60}(?: \[[A-Z\d_]{1,60}\])?)(?::|$)/;
const CODE = /^\s+code: '([A-Z\d_]{1,60})',?$/;
const VERSION = /^Node\.js v\d{1,3}\.\d{1,3}\.\d{1,3}$/;

/** Undefined where nothing of the line may be told. */
export function shapeOfError(line: string): string | undefined {
  if (FRAME.test(line) || VERSION.test(line)) return line.trim();
  return KIND.exec(line)?.[1] ?? CODE.exec(line)?.[1];
}
