import t from 'tap';
import { LogBuffer } from '../../supervisor/control/log-buffer.ts';
import { FakeClock } from '../support/fake-clock.ts';

const make = (maxRecords: number) => new LogBuffer({ clock: new FakeClock(5), maxRecords, onRecord: () => undefined });

t.test('keeps records until they are acknowledged', async (t) => {
  const buffer = make(10);
  for (const n of [1, 2, 3]) buffer.log('info', 'test.event', { n });
  t.same(
    buffer.batch(2).records.map(({ seq }) => seq),
    [1, 2],
  );
  t.same(
    buffer.batch(2).records.map(({ seq }) => seq),
    [1, 2],
    'unacknowledged ones are offered again',
  );
  buffer.acknowledge(2);
  t.same(
    buffer.batch(2).records.map(({ seq }) => seq),
    [3],
  );
  buffer.acknowledge(3);
  t.equal(buffer.waiting, 0);
});

t.test('keeps the newest records when full, and counts what it dropped', async (t) => {
  const buffer = make(2);
  for (const n of [1, 2, 3, 4, 5]) buffer.log('info', 'test.event', { n });
  const { records, dropped } = buffer.batch(10);
  t.same(
    records.map(({ seq }) => seq),
    [4, 5],
  );
  t.equal(dropped, 3);
});

t.test('keeps the record’s own time and level', async (t) => {
  const buffer = make(2);
  buffer.log('warn', 'test.event', {});
  t.match(buffer.batch(1).records[0], { timeMs: 5, level: 'warn', event: 'test.event' });
});

t.test('cuts long values and leaves out undefined ones', async (t) => {
  const buffer = make(2);
  buffer.log('info', 'test.event', { long: 'x'.repeat(10_000), none: undefined });
  const fields = buffer.batch(1).records[0]?.fields ?? {};
  t.equal(String(fields['long']).length, 2000);
  t.notOk('none' in fields);
});
