import t from 'tap';
import { AlarmGroups } from '../../../acra/server/log-alarms.ts';
import type { AlarmConcern } from '../../../acra/server/log-concerns.ts';

type Said = readonly [concern: AlarmConcern, timeMs: number | undefined, sessionId?: number];

/** Which of the records raise an alarm. */
function raised(records: readonly Said[]): boolean[] {
  const groups = new AlarmGroups();
  return records.map(([concern, timeMs, sessionId]) =>
    groups.begins(concern, {
      ...(timeMs === undefined ? {} : { timeMs }),
      ...(sessionId === undefined ? {} : { sessionId }),
    }),
  );
}

const count = (records: readonly Said[]) => raised(records).filter(Boolean).length;

t.test('raises one alarm for a statement that cannot be read and for the rows of its answer', async (t) => {
  const statement: Said[] = [1_000, 1_000, 1_004].map((timeMs) => ['unexamined', timeMs]);
  const rows: Said[] = Array.from({ length: 200 }, (_, row) => ['unexamined', 1_175 + row]);
  t.same(raised([...statement, ...rows]), [true, ...Array(202).fill(false)]);
});

t.test(
  'raises one alarm for the values of a statement and the statement, though only that names its session',
  async (t) => {
    t.same(
      raised([
        ['plaintext', 1_000],
        ['plaintext', 1_000],
        ['plaintext', 1_001, 7],
      ]),
      [true, false, false],
    );
  },
);

for (const concern of ['plaintext', 'unexamined', 'undetected'] as const) {
  t.test(`raises an alarm "${concern}" for each session`, async (t) => {
    t.equal(
      count([
        [concern, 1_000, 1],
        [concern, 1_000, 2],
        [concern, 1_000, 2],
      ]),
      2,
    );
    t.equal(
      count([
        [concern, 1_000],
        [concern, 1_000, 1],
        [concern, 1_000, 2],
      ]),
      2,
      'also when the first record names none',
    );
  });

  t.test(`raises another alarm "${concern}" for what comes later`, async (t) => {
    t.equal(
      count([
        [concern, 1_000, 1],
        [concern, 1_201, 1],
      ]),
      2,
    );
  });

  t.test(`raises an alarm "${concern}" again and again while a flood lasts`, async (t) => {
    const flood: Said[] = Array.from({ length: 6_000 }, (_, at) => [concern, 10 * at, 1]);
    t.ok(count(flood) >= 60_000 / 5_200);
  });

  t.test(`raises an alarm "${concern}" for each record without a time`, async (t) => {
    t.equal(
      count([
        [concern, undefined],
        [concern, undefined],
      ]),
      2,
    );
  });

  t.test(`raises another alarm "${concern}" when the clock was set back`, async (t) => {
    t.equal(
      count([
        [concern, 1_000_000],
        [concern, 1_000],
        [concern, 1_001],
      ]),
      2,
    );
  });
}

t.test('raises an alarm for each of two statements that follow one another with values as they came', async (t) => {
  t.equal(
    count([
      ['plaintext', 1_000, 1],
      ['plaintext', 1_021, 1],
    ]),
    2,
  );
});

for (const concern of ['poison', 'unread'] as const) {
  t.test(`raises an alarm for each record "${concern}"`, async (t) => {
    t.equal(
      count([
        [concern, 1_000, 1],
        [concern, 1_000, 1],
      ]),
      2,
    );
  });
}

t.test('keeps what proves harm apart from the statements that cannot be read around it', async (t) => {
  t.same(
    raised([
      ['unexamined', 1_000],
      ['plaintext', 1_000],
      ['undetected', 1_000],
      ['poison', 1_000],
      ['unread', 1_000],
      ['unexamined', 1_000],
    ]),
    [true, true, true, true, true, false],
  );
});
