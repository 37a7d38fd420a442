import t from 'tap';
import { LogBuffer } from '../../../supervisor/control/log-buffer.ts';
import { FakeClock } from '../../support/fake-clock.ts';

const make = (maxRecords: number) => new LogBuffer({ clock: new FakeClock(5), maxRecords, onRecord: () => undefined });

/** Records, with room for all. */
const upTo = (maxRecords: number) => ({ maxRecords, maxBytes: 1 << 20 });
const seqs = (records: readonly { readonly seq: number }[]) => records.map(({ seq }) => seq);

t.test('keeps records until they are acknowledged', async (t) => {
  const buffer = make(10);
  for (const n of [1, 2, 3]) buffer.log('info', 'test.event', { n });
  t.same(
    buffer.batch(upTo(2)).records.map(({ seq }) => seq),
    [1, 2],
  );
  t.same(
    buffer.batch(upTo(2)).records.map(({ seq }) => seq),
    [1, 2],
    'unacknowledged ones are offered again',
  );
  buffer.acknowledge(2);
  t.same(
    buffer.batch(upTo(2)).records.map(({ seq }) => seq),
    [3],
  );
  buffer.acknowledge(3);
  t.equal(buffer.waiting, 0);
});

t.test('keeps the newest records when full, and counts what it dropped', async (t) => {
  const buffer = make(2);
  for (const n of [1, 2, 3, 4, 5]) buffer.log('info', 'test.event', { n });
  const { records, dropped } = buffer.batch(upTo(10));
  t.same(
    records.map(({ seq }) => seq),
    [4, 5],
  );
  t.equal(dropped, 3);
});

t.test('keeps the record’s own time and level', async (t) => {
  const buffer = make(2);
  buffer.log('warn', 'test.event', {});
  t.match(buffer.batch(upTo(1)).records[0], { timeMs: 5, level: 'warn', event: 'test.event' });
});

t.test('cuts long values and leaves out undefined ones', async (t) => {
  const buffer = make(2);
  buffer.log('info', 'test.event', { long: 'x'.repeat(10_000), none: undefined });
  const fields = buffer.batch(upTo(1)).records[0]?.fields ?? {};
  t.equal(String(fields['long']).length, 2000);
  t.notOk('none' in fields);
});

t.test('drops the least important first, the oldest of them before the newer', async (t) => {
  const buffer = make(4);
  for (const level of ['info', 'fatal', 'debug', 'error', 'debug', 'info', 'fatal', 'warn'] as const) {
    buffer.log(level, 'test.event');
  }
  const { records, dropped } = buffer.batch(upTo(10));
  t.same(
    records.map(({ seq, level }) => [seq, level]),
    [
      [2, 'fatal'],
      [4, 'error'],
      [7, 'fatal'],
      [8, 'warn'],
    ],
  );
  t.equal(dropped, 4);
});

t.test('drops no fatal record for any number of others', async (t) => {
  const buffer = make(10);
  buffer.log('fatal', 'acra.alarm');
  for (let count = 0; count < 10_000; count += 1) buffer.log('error', 'acra.log');
  t.match(buffer.batch(upTo(1)).records, [{ seq: 1, level: 'fatal' }]);
  t.equal(buffer.waiting, 10);
});

t.test('keeps the first and the last of nothing but fatal records', async (t) => {
  const buffer = make(4);
  for (let count = 0; count < 100; count += 1) buffer.log('fatal', 'test.event');
  const kept = seqs(buffer.batch(upTo(10)).records);
  t.equal(kept.length, 4);
  t.same([kept[0], kept.at(-1)], [1, 100]);
});

t.test('is bounded in bytes too', async (t) => {
  const buffer = new LogBuffer({
    clock: new FakeClock(),
    maxRecords: 1_000,
    maxBytes: 10_000,
    onRecord: () => undefined,
  });
  for (let count = 0; count < 100; count += 1) buffer.log('info', 'test.event', { text: 'x'.repeat(1_000) });
  const { records, dropped } = buffer.batch({ maxRecords: 1_000, maxBytes: 1 << 20 });
  t.ok(Buffer.byteLength(JSON.stringify(records)) <= 10_000);
  t.equal(records.length + dropped, 100);
  buffer.acknowledge(100);
  for (let count = 0; count < 5; count += 1) buffer.log('info', 'test.event', { text: 'x'.repeat(1_000) });
  t.equal(buffer.waiting, 5, 'and what was acknowledged makes room');
});

t.test('fills a batch by bytes, and gives one record in any case', async (t) => {
  const buffer = make(1_000);
  for (let count = 0; count < 300; count += 1) buffer.log('info', 'test.event', { text: 'é'.repeat(1_500) });
  const { records } = buffer.batch({ maxRecords: 200, maxBytes: 64 * 1024 });
  t.ok(records.length > 10 && Buffer.byteLength(JSON.stringify(records)) <= 64 * 1024);
  t.equal(buffer.batch({ maxRecords: 200, maxBytes: 10 }).records.length, 1);
});
