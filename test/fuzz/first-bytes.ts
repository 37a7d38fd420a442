/** The same before a session as streams bring it: what a client says to the front, and the front to a guard. */
import assert from 'node:assert/strict';
import type { Duplex } from 'node:stream';
import fc from 'fast-check';
import { encodeStartupMessage } from '../../postgres/startup-message.ts';
import { readRequest, readStartup } from '../../sessions/front/first-packets.ts';
import { encodeOpening, readOpening } from '../../sessions/opening.ts';
import { CANCEL_REQUEST, GSS_REQUEST, SSL_REQUEST, TLS_RECORD } from '../relay/support/postgres-packets.ts';
import { fuzzer } from '../support/fuzz.ts';
import { hostile, uint } from '../support/hostile-bytes.ts';
import { reading, streamCuts } from './support/reading.ts';

const parser = 'start-up packets';
/** Each piece takes turns of the event loop. */
const share = 0.1;
const patient = new AbortController().signal;
const STARTUP = encodeStartupMessage({ minor: 2, parameters: new Map([['user', 'app']]) });
const packets = fc
  .array(fc.constantFrom(SSL_REQUEST, GSS_REQUEST, CANCEL_REQUEST, STARTUP, TLS_RECORD), { minLength: 1, maxLength: 3 })
  .map((all) => Buffer.concat(all));

/** A frame of the front. */
function opening(fields: unknown): Buffer {
  const json = Buffer.from(JSON.stringify(fields));
  return Buffer.concat([uint(json.length, 4), json]);
}

const STATE = /^(08P01|08006|0A000|28000)$/;

export const FIRST_BYTES = [
  fuzzer({
    parser,
    share,
    name: 'takes a request in clear, or refuses it, however it is cut',
    inputs: fc.tuple(hostile(packets, 16), streamCuts),
    holds: async ([bytes, cutsAt]) => {
      const read = (own: Duplex) => readRequest(own, { firstByte: patient, onFirstByte: () => patient });
      const [whole, cut] = [await reading(read, bytes, []), await reading(read, bytes, cutsAt)];
      for (const { result } of [whole, cut]) if (typeof result === 'string') assert.match(result, STATE);
      // Bytes behind a request are refused where they come with it, and only there.
      if (whole.result !== '08P01') assert.deepEqual(cut, whole);
      if (typeof whole.result !== 'string' && whole.result.kind === 'tls' && whole.result.isDirect)
        assert.deepEqual(whole.left, bytes);
    },
  }),
  fuzzer({
    parser,
    share,
    name: 'takes a packet inside TLS and not a byte more, or refuses it, however it is cut',
    inputs: fc.tuple(hostile(packets, 16), streamCuts),
    holds: async ([bytes, cutsAt]) => {
      const read = (own: Duplex) => readStartup(own, patient);
      const [whole, cut] = [await reading(read, bytes, []), await reading(read, bytes, cutsAt)];
      assert.deepEqual(cut, whole);
      assert.equal(whole.told.length, 0);
      if (typeof whole.result === 'string') assert.match(whole.result, STATE);
      else assert.equal(whole.left?.length, bytes.length - bytes.readUInt32BE(0));
    },
  }),
  fuzzer({
    parser,
    share,
    name: 'takes an opening of the front whose every field has its form, or refuses it',
    findings: [
      [
        opening({ minor: 0, parameters: [['user', 'app']], certificateEndsMs: '', channelBinding: null, loginMs: 1 }),
        [],
      ],
      [Buffer.from('\0\0\0\0behind'), []],
    ],
    inputs: fc.tuple(
      fc.oneof(
        hostile(
          fc
            .dictionary(fc.string({ maxLength: 4 }), fc.string({ maxLength: 4 }), { maxKeys: 3 })
            .map((all) => ({ minor: 0, parameters: new Map(Object.entries(all)) }))
            .map((startup) =>
              encodeOpening({ startup, certificateEndsMs: 1.8e12, channelBinding: null, loginMs: 14_321.5 }),
            ),
        ),
        fc
          .record({
            minor: fc.oneof(fc.constant(0), fc.jsonValue()),
            parameters: fc.oneof(fc.constant([['user', 'app']]), fc.jsonValue()),
            certificateEndsMs: fc.oneof(fc.constant(1.8e12), fc.jsonValue()),
            channelBinding: fc.oneof(fc.constant(null), fc.base64String(), fc.jsonValue()),
            loginMs: fc.oneof(fc.constant(1), fc.jsonValue()),
          })
          .map(opening),
      ),
      streamCuts,
    ),
    holds: async ([bytes, cutsAt]) => {
      const read = (own: Duplex) => readOpening(own, patient);
      const [whole, cut] = [await reading(read, bytes, []), await reading(read, bytes, cutsAt)];
      assert.deepEqual(cut, whole);
      if (typeof whole.result === 'string') {
        assert.match(whole.result, /^(08P01|08006)$/);
        return;
      }
      const { startup, certificateEndsMs, loginMs } = whole.result;
      assert.ok(Number.isInteger(startup.minor) && startup.minor >= 0 && startup.minor <= 0xffff);
      assert.ok(Number.isFinite(certificateEndsMs) && Number.isFinite(loginMs));
      for (const each of [...startup.parameters].flat()) assert.equal(typeof each, 'string');
      assert.equal(whole.left?.length, bytes.length - 4 - bytes.readUInt32BE(0));
    },
  }),
];
