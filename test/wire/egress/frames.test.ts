/** The one frame of each end: read to the byte, bounded, and of one version (docs/specs/egress.md, 4). */
import { PassThrough } from 'node:stream';
import t from 'tap';
import { encodeFrame } from '../../../wire/control/frame.ts';
import {
  egressConnected,
  egressRefused,
  egressRequest,
  parseEgressAnswer,
  parseEgressRequest,
} from '../../../wire/egress/messages.ts';
import { MAX_EGRESS_FRAME_BYTES, readEgressFrame } from '../../../wire/egress/read-frame.ts';
import { WireError } from '../../../wire/errors.ts';
import { rejectsCode, throwsCode } from '../../support/coded-error.ts';

const { signal } = new AbortController();
const REQUEST = egressRequest({ host: 'api.example.com', port: 443 });
const frameOf = (value: unknown) => {
  const payload = Buffer.from(JSON.stringify(value));
  const length = Buffer.alloc(4);
  length.writeUInt32BE(payload.length);
  return Buffer.concat([length, payload]);
};

t.test('reads a frame, however it is cut, and leaves what follows in the stream', async (t) => {
  const bytes = Buffer.concat([encodeFrame(REQUEST), Buffer.from('what follows')]);
  for (const cut of [0, 1, 3, 4, 5, bytes.length - 13, bytes.length - 12, bytes.length - 1]) {
    const stream = new PassThrough();
    const payload = readEgressFrame(stream, signal);
    stream.write(bytes.subarray(0, cut));
    await new Promise(setImmediate);
    stream.end(bytes.subarray(cut));
    t.same(parseEgressRequest(await payload), REQUEST, `cut at ${cut}`);
    const after: Buffer[] = [];
    for await (const chunk of stream) after.push(chunk as Buffer);
    t.equal(Buffer.concat(after).toString(), 'what follows');
  }
});

t.test('refuses a frame that is too long, empty or not whole, before it is kept', async (t) => {
  for (const [bytes, code] of [
    [Buffer.from([0, 0, 8, 1]), 'WIRE_FRAME_TOO_LARGE'],
    [Buffer.from([0xff, 0xff, 0xff, 0xff]), 'WIRE_FRAME_TOO_LARGE'],
    [Buffer.from([0, 0, 0, 0]), 'WIRE_FRAME_TOO_LARGE'],
    [Buffer.alloc(0), 'WIRE_STREAM_ENDED'],
    [Buffer.from([0, 0]), 'WIRE_STREAM_ENDED'],
    [encodeFrame(REQUEST).subarray(0, -1), 'WIRE_STREAM_ENDED'],
  ] as const) {
    const stream = new PassThrough();
    stream.end(bytes);
    await rejectsCode(() => readEgressFrame(stream, signal), WireError, code);
  }
  t.equal(MAX_EGRESS_FRAME_BYTES, 2048);
});

t.test('stops waiting when it is told to', async (t) => {
  const stopping = new AbortController();
  const reading = readEgressFrame(new PassThrough(), stopping.signal);
  stopping.abort(new TypeError('stop'));
  await t.rejects(reading, { message: 'stop' });
  await t.rejects(readEgressFrame(new PassThrough(), stopping.signal), { message: 'stop' });
});

t.test('takes its own messages and no others', async (t) => {
  t.same(parseEgressAnswer(Buffer.from(JSON.stringify(egressConnected('192.0.2.1')))), {
    version: 1,
    type: 'connected',
    address: '192.0.2.1',
  });
  t.match(parseEgressAnswer(Buffer.from(JSON.stringify(egressRefused('EGRESS_TIMEOUT', 'x'.repeat(900))))), {
    code: 'EGRESS_TIMEOUT',
  });
  for (const value of [
    { ...REQUEST, version: 2 },
    { host: 'a', port: 443 },
    { ...REQUEST, more: 1 },
    { ...REQUEST, port: 0 },
    { ...REQUEST, port: '443' },
    { ...REQUEST, host: '' },
    { ...REQUEST, host: 'a'.repeat(255) },
    [],
    null,
  ])
    throwsCode(() => parseEgressRequest(frameOf(value).subarray(4)), WireError, 'WIRE_MESSAGE_INVALID');
  for (const value of [
    { version: 1, type: 'connected' },
    { version: 1, type: 'connected', address: 'localhost' },
    { version: 1, type: 'connected', address: 'fe80::1%eth0' },
    { version: 1, type: 'refused', code: 'EGRESS_UNLISTED', message: 'only the enclave says this' },
    { version: 1, type: 'refused', code: 'OTHER', message: '' },
    { version: 1, type: 'refused', code: 'EGRESS_TIMEOUT', message: 'a\nb' },
    { version: 1, type: 'refused', code: 'EGRESS_TIMEOUT', message: 'x'.repeat(501) },
    { version: 2, type: 'connected', address: '192.0.2.1' },
  ])
    throwsCode(() => parseEgressAnswer(frameOf(value).subarray(4)), WireError, 'WIRE_MESSAGE_INVALID');
});
