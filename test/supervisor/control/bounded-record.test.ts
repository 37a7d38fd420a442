import fc from 'fast-check';
import t from 'tap';
import { LOG_LEVELS } from '../../../runtime/log.ts';
import { boundedRecord, MAX_RECORD_BYTES } from '../../../supervisor/control/bounded-record.ts';
import { encodeFrame, FrameReader, MAX_ENCLAVE_FRAME_BYTES } from '../../../wire/control/frame.ts';
import { parseEnclaveMessage } from '../../../wire/control/messages.ts';

const HEAD = { seq: 1, timeMs: 5, level: 'error', event: 'test.event' } as const;

t.test('keeps a record that fits as it is, without what is undefined', async (t) => {
  const { record, bytes } = boundedRecord(HEAD, { text: 'x'.repeat(2_000), count: 3, none: undefined, nothing: null });
  t.same(record, { ...HEAD, fields: { text: 'x'.repeat(2_000), count: 3, nothing: null } });
  t.equal(bytes, Buffer.byteLength(JSON.stringify(record)));
});

t.test('shortens long values, and names them', async (t) => {
  const { record } = boundedRecord(HEAD, { reason: 'x'.repeat(10_000), stack: 'y'.repeat(2_001), code: 'KMS' });
  t.equal(String(record.fields['reason']).length, 2_000);
  t.match(record.fields, { code: 'KMS', shortened: 'reason,stack' });
});

t.test('shortens more where there are many, or their characters take many bytes', async (t) => {
  const many = Object.fromEntries(Array.from({ length: 30 }, (_, i) => [`field${i}`, '\u0001'.repeat(5_000)]));
  const { record, bytes } = boundedRecord(HEAD, { ...many, code: 'KMS' });
  t.ok(bytes <= MAX_RECORD_BYTES);
  t.equal(record.fields['code'], 'KMS');
  t.ok(String(record.fields['field0']).length > 10);
});

t.test('makes no record that the parent would refuse, whatever its event and fields are', async (t) => {
  const value = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 3_000 }),
    fc.string({ unit: fc.constantFrom('\ud800', '\u0000', '"', '€'), minLength: 2_000, maxLength: 9_000 }),
    fc.double(),
    fc.boolean(),
    fc.constant(null),
    fc.constant(undefined),
  );
  const fields = fc.oneof(
    fc.dictionary(fc.string({ maxLength: 300 }), value, { maxKeys: 40 }),
    fc
      .integer({ min: 500, max: 3_000 })
      .map((size) => Object.fromEntries(Array.from({ length: size }, (_, i) => [`f${i}`, i]))),
  );
  fc.assert(
    fc.property(fields, fc.string({ maxLength: 300 }), fc.constantFrom(...LOG_LEVELS), (some, event, level) => {
      const { record } = boundedRecord({ seq: 1, timeMs: 0, level, event }, some);
      const frame = encodeFrame({ type: 'logs', records: [record], dropped: 0 });
      const [payload = Buffer.of()] = [...new FrameReader(MAX_ENCLAVE_FRAME_BYTES).push(frame)];
      return frame.length <= MAX_RECORD_BYTES + 200 && parseEnclaveMessage(payload).type === 'logs';
    }),
    { numRuns: 200, seed: 7 },
  );
  t.pass();
});
