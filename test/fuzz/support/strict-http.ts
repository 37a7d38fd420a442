/**
 * HTTP/1.1 as the strictest reader takes it: one message of some bytes, or an AssertionError that says what another reader could take
 * otherwise. Written without Node's parser, which is a part of what is tried. Specification: RFC 9112 sections 2 to 7.
 */
import assert from 'node:assert/strict';
import { type Field, fieldsOf } from '../../../encoding/http-fields.ts';

const FIELD = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+): ([\t\x20-\x7e\x80-\xff]*)$/;
const HEAD_END = '\r\n\r\n';

export interface StrictHead {
  readonly start: string;
  readonly fields: readonly Field[];
  /** Behind it. */
  readonly rest: string;
}

/** @param text of Latin-1 */
export function strictHead(text: string): StrictHead {
  const end = text.indexOf(HEAD_END);
  assert.notEqual(end, -1, 'a head that does not end');
  const [start = '', ...lines] = text.slice(0, end).split('\r\n');
  const raw = lines.flatMap((line) => {
    const [, name, value] = FIELD.exec(line) ?? assert.fail(`no field: ${JSON.stringify(line)}`);
    return [name ?? '', value ?? ''];
  });
  return { start, fields: fieldsOf(raw), rest: text.slice(end + HEAD_END.length) };
}

export function valuesOf(fields: readonly Field[], name: string): readonly string[] {
  return fields.filter(([each]) => each.toLowerCase() === name).map(([, value]) => value);
}

interface Body {
  readonly isWhole: boolean;
  /** Behind it. */
  readonly rest: string;
}

/** Of a message that says how long it is, or has none. */
export function strictBody({ fields, rest }: StrictHead): Body {
  const codings = valuesOf(fields, 'transfer-encoding');
  const lengths = valuesOf(fields, 'content-length');
  assert.ok(codings.length + lengths.length <= 1, 'a length is said twice');
  if (codings.length > 0) {
    assert.deepEqual(codings, ['chunked']);
    return strictChunks(rest);
  }
  const [length = '0'] = lengths;
  assert.match(length, /^\d+$/);
  return { isWhole: rest.length >= Number(length), rest: rest.slice(Number(length)) };
}

function strictChunks(text: string): Body {
  let at = 0;
  for (;;) {
    const [line, hex] = /^([0-9a-f]+)\r\n/.exec(text.slice(at)) ?? [];
    if (line === undefined || hex === undefined) {
      assert.match(text.slice(at), /^[0-9a-f]*\r?$/, 'no size of a chunk');
      return { isWhole: false, rest: '' };
    }
    const end = at + line.length + Number.parseInt(hex, 16);
    if (end + 2 > text.length) return { isWhole: false, rest: '' };
    assert.equal(text.slice(end, end + 2), '\r\n', 'a chunk that does not end where it says');
    at = end + 2;
    if (Number.parseInt(hex, 16) === 0) return { isWhole: true, rest: text.slice(at) };
  }
}
