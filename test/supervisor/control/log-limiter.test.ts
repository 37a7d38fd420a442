import t from 'tap';
import { LimitedLogger, MAX_KINDS, RECORDS_PER_WINDOW, WINDOW_MS } from '../../../supervisor/control/log-limiter.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { MemoryLogger } from '../../support/memory-logger.ts';

function limited() {
  const clock = new FakeClock();
  const target = new MemoryLogger();
  const logger = new LimitedLogger(target, clock);
  const passed = (event: string) => target.records.filter((record) => record.event === event);
  return { clock, target, logger, passed };
}

const handshake = (port: number) => ({
  message: 'Error in tls handshake with client',
  acraCode: 584,
  error: `read tcp 127.0.0.1:9393->10.0.0.1:${port}: read: connection reset by peer`,
});

t.test('lets a few of a kind pass in a window, and tells at its end how many did not', async (t) => {
  const { clock, logger, passed } = limited();
  for (let second = 0; second < 59; second += 1) {
    for (let count = 0; count < 300; count += 1) logger.log('error', 'acra.log', handshake(1_024 + count));
    clock.advance(1_000);
  }
  t.equal(passed('acra.log').length, RECORDS_PER_WINDOW);
  t.same(passed('log.suppressed'), []);
  clock.advance(1_000);
  logger.tick();
  t.match(passed('log.suppressed'), [
    {
      level: 'error',
      fields: { kind: /^acra\.log acraCode=584 .*tls handshake/, count: 59 * 300 - RECORDS_PER_WINDOW },
    },
  ]);
  t.equal(logger.suppressed, 59 * 300 - RECORDS_PER_WINDOW);
  logger.log('error', 'acra.log', handshake(1));
  t.equal(passed('acra.log').length, RECORDS_PER_WINDOW + 1, 'and a new window begins');
});

t.test('writes few records however long a flood lasts', async (t) => {
  const { clock, logger, target } = limited();
  for (let second = 0; second < 3_600; second += 1) {
    for (let count = 0; count < 30; count += 1) logger.log('error', 'acra.log', handshake(count));
    clock.advance(1_000);
  }
  t.ok(target.records.length <= 60 * (RECORDS_PER_WINDOW + 1), `${target.records.length} records`);
});

t.test('keeps the records of one kind from the flood of another', async (t) => {
  const { logger, passed } = limited();
  for (let count = 0; count < 1_000; count += 1) logger.log('error', 'acra.log', handshake(count));
  logger.log('error', 'acra.log', { ...handshake(1), error: 'remote error: tls: bad certificate' });
  logger.log('error', 'acra.log', { message: "Can't connect to db", acraCode: 540 });
  logger.log('fatal', 'acra.alarm', { concern: 'poison', acraCode: 101 });
  logger.log('error', 'child.exited', { child: 'acra-server', code: 'ACRA_EXIT_CRASH' });
  t.equal(passed('acra.log').length, RECORDS_PER_WINDOW + 2);
  t.equal(passed('acra.alarm').length, 1);
  t.equal(passed('child.exited').length, 1);
});

t.test('limits fatal records too, and tells their number as fatal', async (t) => {
  const { logger, passed } = limited();
  for (let count = 0; count < 100; count += 1)
    logger.log('fatal', 'acra.alarm', { concern: 'plaintext', acraCode: 900 });
  logger.settle();
  t.equal(passed('acra.alarm').length, RECORDS_PER_WINDOW);
  t.match(passed('log.suppressed'), [{ level: 'fatal', fields: { count: 100 - RECORDS_PER_WINDOW } }]);
});

const letters = (count: number) => [...String(count)].map((digit) => 'abcdefghij'[Number(digit)]).join('');

for (const [what, flood, other] of [
  ['another concern', { concern: 'plaintext' }, { concern: 'poison' }],
  ['another program, though only a digit differs', { child: 'acra-server-1' }, { child: 'acra-server-2' }],
  ['another client, though only a digit differs', { clientId: 'tenant-1' }, { clientId: 'tenant-2' }],
  ['another code', { acraCode: 900 }, { acraCode: 903 }],
] as const) {
  t.test(`lets a fatal alarm pass beside a flood of those of ${what}, and counts both apart`, async (t) => {
    const { logger, passed } = limited();
    const alarm = { child: 'acra-server-1', concern: 'plaintext', clientId: 'tenant-1', acraCode: 900 };
    for (let count = 0; count < 100; count += 1) logger.log('fatal', 'acra.alarm', { ...alarm, ...flood });
    for (let count = 0; count < 50; count += 1) logger.log('fatal', 'acra.alarm', { ...alarm, ...other });
    t.equal(passed('acra.alarm').length, 2 * RECORDS_PER_WINDOW);
    logger.settle();
    t.match(passed('log.suppressed'), [
      { level: 'fatal', fields: { count: 100 - RECORDS_PER_WINDOW } },
      { level: 'fatal', fields: { count: 50 - RECORDS_PER_WINDOW } },
    ]);
  });
}

for (const [what, event, flood] of [
  ['of other events', 'acra.log', {}],
  ['of another concern', 'acra.alarm', { concern: 'plaintext' }],
  ['of another program', 'acra.alarm', { concern: 'poison', child: 'acra-server-2' }],
] as const) {
  t.test(`lets a new kind of fatal alarm pass beside more kinds than are told apart, ${what}`, async (t) => {
    const { logger, target } = limited();
    for (let count = 0; count < MAX_KINDS + 100; count += 1)
      logger.log('fatal', event, { child: 'acra-server-1', ...flood, error: letters(count) });
    logger.log('fatal', 'acra.alarm', { child: 'acra-server-1', concern: 'poison' });
    t.match(target.records.at(-1), { event: 'acra.alarm', fields: { concern: 'poison', child: 'acra-server-1' } });
  });
}

t.test('tells the end of a window when the next record comes', async (t) => {
  const { clock, logger, target } = limited();
  for (let count = 0; count <= RECORDS_PER_WINDOW; count += 1)
    logger.log('warn', 'control.bad-message', { reason: 'x' });
  clock.advance(WINDOW_MS);
  logger.log('info', 'health.changed', { state: 'serving' });
  t.same(
    target.records.slice(-2).map(({ event }) => event),
    ['log.suppressed', 'health.changed'],
  );
});

t.test('is bounded in kinds, for each level, event, program and concern', async (t) => {
  const { logger, passed, target } = limited();
  for (let count = 0; count < 5_000; count += 1)
    logger.log('error', 'acra.log', { message: `goroutine ${letters(count)}` });
  t.ok(target.records.length <= MAX_KINDS + RECORDS_PER_WINDOW);
  logger.log('fatal', 'acra.alarm', { concern: 'poison' });
  t.equal(passed('acra.alarm').length, 1);
  logger.settle();
  t.match(passed('log.suppressed'), [{ fields: { kind: 'acra.log other' } }]);
});

t.test('passes on what the relay limits itself', async (t) => {
  const { logger, passed } = limited();
  for (let count = 0; count < 100; count += 1) logger.log('warn', 'relay.shed', { route: 'ingress', suppressed: 7 });
  t.equal(passed('relay.shed').length, 100);
});

t.test('keeps each slow statement apart, however many of another there are', async (t) => {
  const { logger, passed } = limited();
  const slow = (fingerprint: string) => logger.log('warn', 'guard.slow-statement', { child: 'guard-1', fingerprint });
  for (let count = 0; count < 100; count += 1) slow('0123456789abcdef');
  slow('0123456789abcdee');
  t.equal(passed('guard.slow-statement').length, RECORDS_PER_WINDOW + 1);
});
