/** Headers of the PROXY protocol, version 2, that somebody in front of us sends, or says to send. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { readSource } from '../../sessions/front/source.ts';
import { crc32c } from '../../wire/crc32c.ts';
import { WireError } from '../../wire/errors.ts';
import {
  encodeProxyHeader,
  looksLikeProxyHeader,
  MAX_PROXY_HEADER_BYTES,
  type ProxyHeader,
  parseProxyHeader,
} from '../../wire/proxy-protocol.ts';
import { fuzzer } from '../support/fuzz.ts';
import { anyBytes, cuts, hostile, misstated, piecesOf, uint } from '../support/hostile-bytes.ts';
import { reading, streamCuts } from './support/reading.ts';

const parser = 'PROXY header';
const patient = new AbortController().signal;
const FIXED_BYTES = 16;
const CHECKSUM = Buffer.from('03000400000000', 'hex');

const source = fc.oneof(
  fc.record({ address: fc.ipV4(), port: fc.nat(65_535) }),
  fc.record({ address: fc.ipV6(), port: fc.nat(65_535) }),
  fc.constant(undefined),
);
const vector = fc
  .tuple(fc.integer({ min: 4, max: 255 }), anyBytes(12))
  .map(([type, value]) => Buffer.concat([Buffer.of(type), uint(value.length, 2), value]));
const vectors = fc
  .array(fc.oneof({ weight: 9, arbitrary: vector }, misstated(vector, 1, 2)), { maxLength: 3 })
  .map((all) => Buffer.concat(all));

/** With the length that it has, and the checksum where it has one in the right place. */
function repaired(bytes: Buffer, sumAt: number | undefined): Buffer {
  if (bytes.length < FIXED_BYTES) return bytes;
  const copy = Buffer.from(bytes);
  copy.writeUInt16BE(Math.min(0xffff, copy.length - FIXED_BYTES), 14);
  if (sumAt !== undefined && sumAt + 4 <= copy.length) {
    copy.writeUInt32BE(0, sumAt);
    copy.writeUInt32BE(crc32c(copy), sumAt);
  }
  return copy;
}

const headers = fc.tuple(source, vectors, fc.boolean(), vectors).map(([from, before, hasSum, behind]) => {
  const start = Buffer.concat([encodeProxyHeader(from), before]);
  const sum = hasSum ? CHECKSUM : Buffer.alloc(0);
  return repaired(Buffer.concat([start, sum, behind]), hasSum ? start.length + 3 : undefined);
});

/** Changed, then made whole again: what is behind length and checksum is reached too. */
const inputs = fc
  .tuple(fc.oneof(hostile(headers), misstated(headers, 14, 2)), fc.boolean(), fc.option(fc.nat(80), { nil: undefined }))
  .map(([bytes, isRepaired, sumAt]) => (isRepaired ? repaired(bytes, sumAt) : bytes));

/** Where the vectors end, read one after the other. */
function vectorsEnd(header: Buffer): number {
  let at = FIXED_BYTES + (header[13] === 0x11 ? 12 : 36);
  while (at + 3 <= header.length) at += 3 + header.readUInt16BE(at + 1);
  return at;
}

function readingOf(bytes: Buffer): ProxyHeader | 'refused' {
  try {
    return parseProxyHeader(bytes);
  } catch (error) {
    if (error instanceof WireError && error.code === 'WIRE_PROXY_HEADER') return 'refused';
    throw error;
  }
}

export const PROXY_HEADER = [
  fuzzer({
    parser,
    name: 'names a source, waits for more or refuses, as early as it can, however it is cut',
    inputs: fc.tuple(inputs, anyBytes(8), cuts),
    holds: ([bytes, behind, cutsAt]) => {
      const whole = readingOf(bytes);
      let length = 0;
      for (const piece of piecesOf(bytes, cutsAt)) {
        length += piece.length;
        const early = readingOf(bytes.subarray(0, length));
        if (early === 'refused' || early.kind !== 'more') assert.deepEqual(early, whole);
      }
      if (whole === 'refused') return;
      assert.ok(bytes.length < 4 || looksLikeProxyHeader(bytes));
      if (whole.kind === 'more') {
        assert.ok(bytes.length < MAX_PROXY_HEADER_BYTES);
        return;
      }
      assert.ok(
        whole.headerBytes >= FIXED_BYTES && whole.headerBytes <= Math.min(bytes.length, MAX_PROXY_HEADER_BYTES),
      );
      assert.deepEqual(readingOf(Buffer.concat([bytes.subarray(0, whole.headerBytes), behind])), whole);
      if (whole.kind === 'local') return;
      assert.equal(vectorsEnd(bytes.subarray(0, whole.headerBytes)), whole.headerBytes);
      const again = parseProxyHeader(encodeProxyHeader(whole.source));
      assert.ok(again.kind === 'proxied' && again.headerBytes <= whole.headerBytes);
      const address = whole.source.address.replace(/^::ffff:(?=.*\.)/, '');
      assert.deepEqual(again.kind === 'proxied' && again.source, { ...whole.source, address });
    },
  }),
  fuzzer({
    parser,
    share: 0.1,
    name: 'is taken off a stream, and not a byte more, however it is cut',
    inputs: fc.tuple(inputs, anyBytes(8), streamCuts),
    holds: async ([bytes, behind, cutsAt]) => {
      const stream = Buffer.concat([bytes, behind]);
      const whole = readingOf(stream);
      const { result, left } = await reading((own) => readSource(own, patient), stream, cutsAt);
      if (whole === 'refused') assert.equal(result, '08P01');
      else if (whole.kind === 'more') assert.equal(result, '08006');
      else assert.deepEqual(left, stream.subarray(whole.headerBytes));
      if (whole !== 'refused' && whole.kind === 'proxied') assert.deepEqual(result, whole.source);
    },
  }),
  fuzzer({
    parser,
    name: 'reads back whatever source it writes',
    inputs: source,
    holds: (from) => {
      const bytes = encodeProxyHeader(from);
      const reading = parseProxyHeader(bytes);
      assert.equal(reading.kind, from ? 'proxied' : 'local');
      if (reading.kind !== 'proxied') return;
      assert.equal(reading.headerBytes, bytes.length);
      assert.equal(reading.source.port, from?.port);
      assert.deepEqual(encodeProxyHeader(reading.source), bytes);
    },
  }),
];
