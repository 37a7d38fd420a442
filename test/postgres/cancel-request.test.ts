/** CancelRequest and BackendKeyData: keys of every length that a protocol has, and nothing else. */
import fc from 'fast-check';
import t from 'tap';
import {
  decodeBackendKeyData,
  decodeCancelRequest,
  MAX_CANCEL_BYTES,
  MIN_CANCEL_BYTES,
} from '../../postgres/cancel-request.ts';
import { classifyStartup } from '../../postgres/start-up.ts';
import { sqlStateOf } from '../emulator/acra-server/support/sql-state.ts';
import { CANCEL_REQUEST, SSL_REQUEST } from '../relay/support/postgres-packets.ts';
import { encodeBackendKeyData, encodeCancelRequest } from './support/packets.ts';

t.test('reads process and key of a CancelRequest', async (t) => {
  t.same(decodeCancelRequest(CANCEL_REQUEST), { processId: 42, key: Buffer.from('00c0ffee', 'hex') });
  t.same(encodeCancelRequest({ processId: 42, key: Buffer.from('00c0ffee', 'hex') }), CANCEL_REQUEST);
});

const cancelKey = fc.record({
  processId: fc.integer(),
  key: fc.uint8Array({ minLength: 4, maxLength: 256 }).map((bytes) => Buffer.from(bytes)),
});

t.test('decodes what it encodes, and the first look at a stream takes it', async (t) => {
  fc.assert(
    fc.property(cancelKey, (given) => {
      const frame = encodeCancelRequest(given);
      t.same(decodeCancelRequest(frame), given);
      t.equal(classifyStartup(frame).kind, 'cancel-request');
      t.same(decodeBackendKeyData(encodeBackendKeyData(given).subarray(5)), given);
    }),
    { seed: 1, numRuns: 200 },
  );
});

t.test('rejects keys of less than 4 and of more than 256 bytes (08P01)', async (t) => {
  const whole = encodeCancelRequest({ processId: 1, key: Buffer.alloc(256, 'k') });
  t.equal(whole.length, MAX_CANCEL_BYTES);
  t.equal(CANCEL_REQUEST.length, MIN_CANCEL_BYTES);
  for (const keyBytes of [0, 1, 3, 257]) {
    const key = Buffer.alloc(keyBytes, 'k');
    const packet = Buffer.concat([whole.subarray(0, 12), key]);
    packet.writeUInt32BE(packet.length, 0);
    t.equal(
      sqlStateOf(() => decodeCancelRequest(packet)),
      '08P01',
      `request, ${keyBytes}`,
    );
    t.equal(
      sqlStateOf(() => decodeBackendKeyData(Buffer.concat([Buffer.alloc(4), key]))),
      '08P01',
      `data, ${keyBytes}`,
    );
  }
});

t.test('rejects a packet that is cut, has more bytes, or is another (08P01)', async (t) => {
  for (let end = 0; end < CANCEL_REQUEST.length; end++) {
    t.equal(
      sqlStateOf(() => decodeCancelRequest(CANCEL_REQUEST.subarray(0, end))),
      '08P01',
      String(end),
    );
  }
  t.equal(
    sqlStateOf(() => decodeCancelRequest(Buffer.concat([CANCEL_REQUEST, Buffer.alloc(1)]))),
    '08P01',
  );
  t.equal(
    sqlStateOf(() => decodeCancelRequest(SSL_REQUEST)),
    '08P01',
  );
  t.equal(
    sqlStateOf(() => decodeBackendKeyData(Buffer.alloc(3))),
    '08P01',
  );
});
