/** Messages of a session, of both sides: how a stream is cut into them, and what their bodies say. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { encodeError, parseError } from '../../postgres/error-response.ts';
import { LONG_MESSAGE_BYTES, type Message, MessageReader } from '../../postgres/message-reader.ts';
import {
  BIND,
  DATA_ROW,
  decodeResultFields,
  encodeMessage,
  HEADER_BYTES,
  PARAMETER_STATUS,
  PARSE,
  QUERY,
  withTypes,
} from '../../postgres/messages.ts';
import { SessionError } from '../../postgres/session-error.ts';
import { MessageStream } from '../../sessions/message-stream.ts';
import { outcomeOf } from '../sessions/support/outcome.ts';
import { streamPair, writeInPieces } from '../sessions/support/streams.ts';
import { fuzzer } from '../support/fuzz.ts';
import { anyBytes, cuts, hostile, misstated, piecesOf, uint } from '../support/hostile-bytes.ts';
import { valueOrState } from './support/value-or-state.ts';

const parser = 'messages';
const STATE = /^08P01$/;
const MAX_BYTES = 100;
/** PostgreSQL's MaxAllocSize. */
const MAX_POSTGRES_BYTES = 0x3fff_ffff;

const name = fc.constantFrom('', 'q1', 'SELECT 1', '\xff\x01');
const value = fc.option(anyBytes(12));
const formats = fc.array(fc.constantFrom(0, 1, -1), { maxLength: 3 });
const field = fc
  .tuple(fc.constantFrom('id', '', '\xff'), fc.integer(), fc.constantFrom(0, 1))
  .map(([title, oid, format]) =>
    Buffer.concat([
      Buffer.from(`${title}\0`, 'latin1'),
      Buffer.alloc(6),
      uint(oid >>> 0, 4),
      Buffer.alloc(6),
      uint(format, 2),
    ]),
  );
const rowDescription = fc
  .array(field, { maxLength: 4 })
  .map((fields) => encodeMessage('T', uint(fields.length, 2), ...fields));
const frames = fc.oneof(
  fc.tuple(name, name, formats, fc.array(value, { maxLength: 4 }), formats).map((fields) => BIND.encode(...fields)),
  fc.tuple(name, name, fc.array(fc.integer(), { maxLength: 3 })).map((fields) => PARSE.encode(...fields)),
  fc.tuple(name, name).map((fields) => PARAMETER_STATUS.encode(...fields)),
  fc.array(value, { maxLength: 5 }).map((values) => DATA_ROW.encode(values)),
  rowDescription,
  name.map((text) => encodeError('ERROR', '42601', text)),
  fc.constantFrom('S', 'Z', '1', 'n').map((type) => encodeMessage(type)),
  anyBytes(2 * MAX_BYTES).map((body) => encodeMessage('Q', body)),
  fc.integer({ min: -5, max: -2 }).map((by) => encodeMessage('d', Buffer.alloc(MAX_BYTES + by))),
);
const streams = fc
  .array(fc.oneof({ weight: 5, arbitrary: frames }, misstated(frames, 1, 4)), { maxLength: 4 })
  .map((all) => Buffer.concat(all));

interface Found {
  readonly messages: readonly (Buffer | number)[];
  readonly isFaulty: boolean;
}

/** What is in a stream, told from all of it at once. A number is of bytes that are skipped. */
function expected(stream: Buffer, isStartup: boolean, skips: boolean): Found {
  const messages: (Buffer | number)[] = [];
  for (let at = 0, typeBytes = isStartup ? 0 : 1; stream.length - at >= typeBytes + 4; ) {
    const length = stream.readUInt32BE(at + typeBytes);
    const isLonger = length > MAX_BYTES;
    if (length < 4 || (isLonger && !(skips && length <= MAX_POSTGRES_BYTES))) return { messages, isFaulty: true };
    if (!isLonger && at + typeBytes + length > stream.length) break;
    messages.push(isLonger ? typeBytes + length : stream.subarray(at, at + typeBytes + length));
    at += typeBytes + length;
    // One that is too long in the place of the first is skipped, and the first is waited for.
    if (!isLonger) typeBytes = 1;
  }
  return { messages, isFaulty: false };
}

const shown = ({ frame, skippedBytes }: Message) => skippedBytes ?? frame;

function found(reader: MessageReader, pieces: readonly Buffer[]): Found {
  const messages: (Buffer | number)[] = [];
  try {
    for (const piece of pieces) {
      for (const message of reader.push(piece)) {
        messages.push(shown(message));
        if (message.skippedBytes !== undefined) continue;
        const { type, frame, body } = message;
        assert.deepEqual(frame.subarray(frame.length - body.length), body);
        assert.equal(frame.toString('latin1', 0, frame.length - body.length - 4), type);
      }
    }
    return { messages, isFaulty: false };
  } catch (error) {
    if (error instanceof SessionError && error.sqlState === '08P01') return { messages, isFaulty: true };
    throw error;
  }
}

/** Each with what its decoder reads written again. */
const CODECS: readonly ((body: Buffer) => Buffer)[] = [
  (body) => QUERY.encode(...QUERY.decode(body)),
  (body) => PARSE.encode(...PARSE.decode(body)),
  (body) => BIND.encode(...BIND.decode(body)),
  (body) => PARAMETER_STATUS.encode(...PARAMETER_STATUS.decode(body)),
  (body) => DATA_ROW.encode(...DATA_ROW.decode(body)),
];

export const MESSAGES = [
  fuzzer({
    parser,
    name: 'finds the messages of a stream, or its fault, however it is cut',
    inputs: fc.tuple(hostile(streams, 2 * MAX_BYTES), cuts, fc.boolean(), fc.boolean()),
    holds: ([stream, cutsAt, isStartup, skips]) => {
      const reader = new MessageReader({ isStartup, maxBytes: MAX_BYTES, ...(skips ? { ifLonger: 'skip' } : {}) });
      assert.deepEqual(found(reader, piecesOf(stream, cutsAt)), expected(stream, isStartup, skips));
    },
  }),
  fuzzer({
    parser,
    share: 0.2,
    name: 'asks once for each long message, and holds what it was granted until the end of it',
    inputs: fc.tuple(
      fc.array(
        fc.oneof(
          fc.nat(40),
          fc.integer({ min: -8, max: 8 }).map((by) => LONG_MESSAGE_BYTES + by),
        ),
        { maxLength: 4 },
      ),
      fc.nat(80_000),
      fc.array(fc.boolean(), { minLength: 1, maxLength: 4 }),
      cuts,
    ),
    holds: ([lengths, left, answers, cutsAt]) => {
      const sent = lengths.map((length) => encodeMessage('d', Buffer.alloc(length)));
      const all = Buffer.concat(sent);
      const stream = all.subarray(0, Math.max(0, all.length - left));
      const asked: number[] = [];
      const mayHold = (bytes: number) => answers[(asked.push(bytes) - 1) % answers.length] ?? true;
      const reader = new MessageReader({ isStartup: false, maxBytes: 1e6, ifLonger: 'skip', mayHold });
      for (const piece of piecesOf(stream, cutsAt)) for (const _ of reader.push(piece));
      const begun = sent.filter(
        (_, index) => Buffer.concat(sent.slice(0, index)).length + HEADER_BYTES <= stream.length,
      );
      const long = begun.map(({ length }) => length).filter((length) => length > LONG_MESSAGE_BYTES);
      assert.deepEqual(asked, long);
      const isOpen = Buffer.concat(begun).length > stream.length;
      const last = begun.at(-1)?.length ?? 0;
      const isGranted = isOpen && last > LONG_MESSAGE_BYTES && answers[(long.length - 1) % answers.length];
      assert.equal(reader.grantedBytes, isGranted ? last : 0);
    },
  }),
  fuzzer({
    parser,
    name: 'reads a body and writes the same bytes, or refuses it',
    inputs: hostile(frames.map((frame) => frame.subarray(HEADER_BYTES))),
    holds: (body) => {
      for (const again of CODECS) {
        const written = valueOrState(() => again(body), STATE)?.subarray(HEADER_BYTES);
        if (written) assert.deepEqual(written, body.subarray(0, written.length));
      }
    },
  }),
  fuzzer({
    parser,
    name: 'finds where the types of a row stand, and changes nothing else',
    inputs: fc.tuple(hostile(rowDescription), fc.integer(), fc.nat(4)),
    holds: ([frame, typeOid, at]) => {
      const fields = valueOrState(() => decodeResultFields(frame.subarray(HEADER_BYTES)), STATE);
      for (const field of fields ?? []) assert.equal(frame.readInt32BE(field.oidOffset), field.typeOid);
      const changed = fields?.[at];
      if (!fields || !changed) return;
      const others = decodeResultFields(
        withTypes(frame, [{ offset: changed.oidOffset, typeOid, hasSize: true }]).subarray(HEADER_BYTES),
      );
      assert.deepEqual(others, fields.with(at, { ...changed, typeOid }));
    },
  }),
  fuzzer({
    parser,
    name: 'reads what an error says from any bytes',
    inputs: hostile(frames.map((frame) => frame.subarray(HEADER_BYTES))),
    holds: (body) => {
      const report = parseError(body);
      for (const field of Object.values(report)) assert.ok(field.length <= body.length);
      const frame = encodeError('ERROR', '42601', report.message, report.hint);
      assert.equal(parseError(frame.subarray(HEADER_BYTES)).message, report.message);
      assert.equal(parseError(frame.subarray(HEADER_BYTES)).hint, report.hint);
    },
  }),
  fuzzer({
    parser,
    share: 0.1,
    name: 'hands over the messages of a leg, then how it ends, however it is cut',
    inputs: fc.tuple(hostile(streams, 2 * MAX_BYTES), fc.array(fc.nat(200), { maxLength: 2 }), fc.boolean()),
    holds: async ([stream, cutsAt, skips]) => {
      const { own, peer } = streamPair();
      const leg = new MessageStream(own, { maxBytes: MAX_BYTES, ...(skips ? { ifLonger: 'skip' } : {}) });
      const messages: (Buffer | number)[] = [];
      const reading = leg.each(async (some) => void messages.push(...some.map(shown)));
      const outcome = outcomeOf(reading);
      await writeInPieces(peer, stream, cutsAt);
      peer.end();
      const end = await outcome;
      assert.ok(end === undefined || end === '08P01');
      assert.deepEqual({ messages, isFaulty: end !== undefined }, expected(stream, false, skips));
      leg.discard();
    },
  }),
];
