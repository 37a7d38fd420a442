/**
 * The head of a program's answer as the client is told it: without what is for one hop, and in a form that nobody reads in two ways.
 * Specification: RFC 9110 sections 8.6 (no Content-Length in 204) and 15.2 (1xx are no last word), RFC 9112 section 6.
 */
import type { IncomingMessage } from 'node:http';
import { type Field, valuesOf } from '../../../encoding/http-fields.ts';
import { withoutHops } from './request-headers.ts';

const FIRST_LAST_WORD = 200;
const NO_CONTENT = 204;

/** Node hands on no 1xx but 101, which nobody asked for where it comes as an answer. */
export function isTellable({ statusCode = 0, rawHeaders }: IncomingMessage): boolean {
  const codings = valuesOf(rawHeaders, 'transfer-encoding');
  return statusCode >= FIRST_LAST_WORD && codings.every((coding) => coding.toLowerCase() === 'chunked');
}

export function answerHeaders({ statusCode, rawHeaders }: IncomingMessage): readonly Field[] {
  const fields = withoutHops(rawHeaders);
  return statusCode === NO_CONTENT ? fields.filter(([name]) => name.toLowerCase() !== 'content-length') : fields;
}
