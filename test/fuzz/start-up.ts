/** Before a session: first packets in clear, the packet that asks for a session, requests to cancel, and the keys for them. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { decodeBackendKeyData, decodeCancelRequest } from '../../postgres/cancel-request.ts';
import {
  checkTlsAnswer,
  classifyOpening,
  classifyStartup,
  MAX_STARTUP_BYTES,
  OPENING_BYTES,
} from '../../postgres/start-up.ts';
import {
  databaseOf,
  decodeNegotiateProtocolVersion,
  decodeStartupMessage,
  encodeStartupMessage,
  userOf,
} from '../../postgres/startup-message.ts';
import { requireSafeStartup } from '../../postgres/unsafe-settings.ts';
import {
  encodeBackendKeyData,
  encodeCancelRequest,
  encodeNegotiateProtocolVersion,
} from '../postgres/support/packets.ts';
import {
  CANCEL_REQUEST,
  GSS_REQUEST,
  SSL_REQUEST,
  STARTUP_MESSAGE,
  TLS_RECORD,
} from '../relay/support/postgres-packets.ts';
import { fuzzer } from '../support/fuzz.ts';
import { anyBytes, cuts, hostile, misstated, piecesOf, uint } from '../support/hostile-bytes.ts';
import { valueOrState } from './support/value-or-state.ts';

const parser = 'start-up packets';
const text = fc.oneof(
  fc.constantFrom(
    'user',
    'database',
    'options',
    'replication',
    'client_encoding',
    '_pq_.x',
    'app',
    'off',
    'UTF8',
    '\xff',
  ),
  fc
    .array(fc.constantFrom('-c', '-', '--', ' ', '\\', '=', 'a', 'standard_conforming_strings', 'off', '-B', '1'), {
      maxLength: 8,
    })
    .map((parts) => parts.join('')),
);
const startupMessages = fc.tuple(fc.nat(3), fc.array(fc.tuple(text, text), { maxLength: 5 })).map(([minor, pairs]) =>
  encodeStartupMessage({
    minor,
    parameters: new Map([['user', 'app'], ...pairs.filter(([name]) => name !== '' && name !== 'user')]),
  }),
);
const cancelKeys = fc
  .tuple(fc.integer(), fc.constantFrom(3, 4, 5, 32, 255, 256, 257, 260))
  .map(([processId, length]) => ({ processId, key: Buffer.alloc(length, processId) }));
const cancels = cancelKeys.map(encodeCancelRequest);
const requests = fc.oneof(
  fc.constantFrom(SSL_REQUEST, GSS_REQUEST, CANCEL_REQUEST, STARTUP_MESSAGE, TLS_RECORD),
  cancels,
);
const stuffed = fc.tuple(requests, anyBytes(9)).map((parts) => Buffer.concat(parts));
/** Pairs of texts, the names not empty, and a zero byte behind them. */
const PARAMETERS = /^[\s\S]{8}(?:[^\0]+\0[^\0]*\0)+\0$/;

/** Changed, and then of the length that it states. */
const repacked = hostile(startupMessages.map((frame) => frame.subarray(8))).map((body) =>
  Buffer.concat([uint(body.length + 8, 4), Buffer.from('00030000', 'hex'), body]),
);

/** The bytes of a CancelRequest's process and key may be anything. */
function isKnown(bytes: Buffer): boolean {
  if (bytes.equals(SSL_REQUEST) || bytes.equals(GSS_REQUEST)) return true;
  const isCancel =
    bytes.length >= 16 && bytes.length <= 268 && bytes.readUInt32BE(4) === CANCEL_REQUEST.readUInt32BE(4);
  return isCancel && bytes.readUInt32BE(0) === bytes.length;
}

export const START_UP = [
  fuzzer({
    parser,
    name: 'lets nothing pass before TLS but three packets, however they are cut',
    inputs: fc.tuple(
      fc
        .oneof(hostile(requests, 20), misstated(requests, 0, 4), stuffed)
        .map((bytes) => bytes.subarray(0, MAX_STARTUP_BYTES)),
      cuts,
    ),
    holds: ([bytes, cutsAt]) => {
      const whole = classifyStartup(bytes);
      const passes = whole.kind !== 'more' && whole.kind !== 'refused';
      assert.equal(passes, isKnown(bytes));
      if (whole.kind === 'more' && bytes.length >= 8) assert.ok(bytes.length < bytes.readUInt32BE(0));
      if (passes) assert.equal(classifyOpening(bytes.subarray(0, OPENING_BYTES)), 'plausible');
      let length = 0;
      for (const piece of piecesOf(bytes, cutsAt)) {
        length += piece.length;
        const early = classifyStartup(bytes.subarray(0, length));
        if (early.kind === 'more') continue;
        const isStuffed = early.kind !== 'refused' && length < bytes.length;
        assert.deepEqual(whole, isStuffed ? { kind: 'refused', reason: 'bytes-behind-request' } : early);
      }
    },
  }),
  fuzzer({
    parser,
    name: 'tells from the first bytes what can be no client, and keeps to it',
    inputs: fc.tuple(hostile(fc.oneof(fc.constantFrom(SSL_REQUEST, TLS_RECORD), startupMessages), 8), cuts),
    holds: ([bytes, cutsAt]) => {
      const whole = classifyOpening(bytes.subarray(0, OPENING_BYTES));
      if (bytes.length >= OPENING_BYTES) assert.notEqual(whole, 'more');
      for (const cut of cutsAt) {
        const early = classifyOpening(bytes.subarray(0, Math.min(OPENING_BYTES, cut % (bytes.length + 1))));
        if (early !== 'more') assert.equal(whole, early);
      }
      if (bytes.length > 0) assert.equal(checkTlsAnswer(bytes) === undefined, bytes.equals(Buffer.from('S')));
    },
  }),
  fuzzer({
    parser,
    name: 'reads a start-up message and writes the same, or refuses it',
    inputs: fc.oneof(hostile(startupMessages), misstated(startupMessages, 0, 4), repacked),
    holds: (frame) => {
      const message = valueOrState(() => decodeStartupMessage(frame), /^(08P01|0A000|28000)$/);
      if (message === undefined) return;
      assert.match(frame.toString('latin1'), PARAMETERS);
      assert.deepEqual(decodeStartupMessage(encodeStartupMessage(message)), message);
      for (const name of [userOf(message), databaseOf(message)]) assert.ok(name.length > 0 && name.length <= 63);
      valueOrState(() => requireSafeStartup(message), /^22023$/);
    },
  }),
  fuzzer({
    parser,
    name: 'reads requests to cancel, their keys and negotiations and writes the same, or refuses them',
    inputs: hostile(
      fc.oneof(
        misstated(cancels, 0, 4),
        cancels,
        cancelKeys.map((key) => encodeBackendKeyData(key).subarray(5)),
        fc
          .tuple(fc.nat(3), fc.array(fc.constantFrom('_pq_.a', '', '\xff'), { maxLength: 4 }))
          .map(([minor, options]) => encodeNegotiateProtocolVersion(minor, options).subarray(5)),
      ),
    ),
    holds: (bytes) => {
      const cancel = valueOrState(() => decodeCancelRequest(bytes), /^08P01$/);
      if (cancel) assert.deepEqual(encodeCancelRequest(cancel), bytes);
      assert.equal(cancel !== undefined, classifyStartup(bytes).kind === 'cancel-request');
      const key = valueOrState(() => decodeBackendKeyData(bytes), /^08P01$/);
      if (key) assert.ok(key.key.length >= 4 && key.key.length <= 256);
      if (key) assert.deepEqual(encodeBackendKeyData(key).subarray(5), bytes);
      const told = valueOrState(() => decodeNegotiateProtocolVersion(bytes), /^(08P01|0A000)$/);
      if (told) assert.deepEqual(encodeNegotiateProtocolVersion(told.minor, told.unrecognised).subarray(5), bytes);
    },
  }),
];
