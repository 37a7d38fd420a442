import t from 'tap';
import { retryPatiently } from '../../supervisor/boot/patience.ts';
import type { PhaseContext } from '../../supervisor/boot/phase.ts';
import { BootTable, boot } from '../../supervisor/boot/phase.ts';
import { SupervisorError } from '../../supervisor/errors.ts';
import { rejectsCode } from '../support/coded-error.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { phaseContext } from './support/phase-context.ts';

function surroundings() {
  const context = phaseContext('boot', new FakeClock());
  const { clock, status, logger } = context;
  return { clock, status, logger, context };
}

const phase = <Gives extends object>(
  name: string,
  run: (context: PhaseContext) => Promise<Gives>,
  deadlineMs = 1000,
) => ({
  name,
  deadlineMs: () => deadlineMs,
  run: (_have: object, context: PhaseContext) => run(context),
});

t.test('walks the phases in order and hands each the results before it', async (t) => {
  const { context, logger } = surroundings();
  const table = BootTable.empty<object>()
    .phase(phase('one', async () => ({ one: 1 })))
    .phase({ name: 'two', deadlineMs: () => 1000, run: async (have: { one: number }) => ({ two: have.one + 1 }) });
  t.same(await boot(table, {}, context, new AbortController().signal), { one: 1, two: 2 });
  t.same(
    logger.records.map(({ fields }) => fields['phase']),
    ['one', 'two'],
  );
});

t.test('names the phase that runs in the status', async (t) => {
  const { context, status } = surroundings();
  const table = BootTable.empty<object>().phase(phase('keystore', async () => ({ seen: status.current.phase })));
  t.same(await boot(table, {}, context, new AbortController().signal), { seen: 'keystore' });
});

t.test('ends a phase that hangs at its deadline and says what it waited for (BOOT_DEADLINE)', async (t) => {
  const { context, clock, status } = surroundings();
  const table = BootTable.empty<object>().phase(
    phase('stuck', () => {
      status.set({ detail: 'waiting for nobody', errorCode: 'KMS_THROTTLED' });
      return new Promise<object>(() => undefined);
    }),
  );
  const booting = rejectsCode(
    () => boot(table, {}, context, new AbortController().signal),
    SupervisorError,
    'BOOT_DEADLINE',
  );
  await clock.untilSleeping();
  clock.advance(1001);
  const error = await booting;
  t.match(error.message, 'stuck');
  t.match(error.found, /waiting for nobody.*KMS_THROTTLED/);
  t.equal(clock.sleeping, 0, 'no timer is left');
});

t.test('keeps the code of an error that has one', async () => {
  const { context } = surroundings();
  const table = BootTable.empty<object>().phase(
    phase('nsm', async (): Promise<object> => {
      throw new SupervisorError('BOOT_RNG_NOT_NSM', 'no');
    }),
  );
  await rejectsCode(() => boot(table, {}, context, new AbortController().signal), SupervisorError, 'BOOT_RNG_NOT_NSM');
});

t.test('gives an error without a code of ours one, with its cause (BOOT_PHASE_FAILED)', async (t) => {
  for (const cause of [
    new TypeError('x is not a function'),
    Object.assign(new Error('invalid argument'), { code: 'ERR_INVALID_ARG_TYPE' }),
    Object.assign(new Error('other side closed'), { code: 'UND_ERR_SOCKET' }),
  ]) {
    const { context } = surroundings();
    const table = BootTable.empty<object>().phase(
      phase('nsm', async (): Promise<object> => {
        throw cause;
      }),
    );
    const error = await rejectsCode(
      () => boot(table, {}, context, new AbortController().signal),
      SupervisorError,
      'BOOT_PHASE_FAILED',
    );
    t.equal(error.cause, cause);
    t.match(error.message, 'nsm');
  }
});

t.test('stops between phases when told to', async (t) => {
  const { context } = surroundings();
  const stop = new AbortController();
  const table = BootTable.empty<object>()
    .phase(
      phase('one', async () => {
        stop.abort(new Error('told to'));
        return {};
      }),
    )
    .phase(phase('two', async () => t.fail('ran') as never));
  await t.rejects(boot(table, {}, context, stop.signal), { message: 'told to' });
});

t.test('retries what is temporary with growing waits, and says so in the status', async (t) => {
  const { context, clock, status } = surroundings();
  let attempts = 0;
  const patience = {
    what: 'waiting for KMS',
    attempt: async () => {
      attempts += 1;
      if (attempts < 4) throw new SupervisorError('CREDENTIALS_UNAVAILABLE', 'not yet');
      return 'done';
    },
    isTemporary: () => true,
  };
  const retrying = retryPatiently(patience, { ...context, signal: new AbortController().signal });
  for (const _ of [1, 2, 3]) {
    await clock.untilSleeping();
    t.match(status.current, { errorCode: 'CREDENTIALS_UNAVAILABLE', detail: /waiting for KMS: not yet/ });
    clock.advance(20_000);
  }
  t.equal(await retrying, 'done');
  const [first = 0, second = 0, third = 0] = clock.sleptMs;
  t.ok(
    first >= 100 && first <= 200 && second >= 200 && second <= 400 && third >= 400 && third <= 800,
    'doubling, with jitter',
  );
});

t.test('does not retry what is not temporary', async (t) => {
  const { context } = surroundings();
  let attempts = 0;
  const attempt = async () => {
    attempts += 1;
    throw new SupervisorError('BOOT_CLOCK_UNTRUSTED', 'no');
  };
  const patience = { what: 'x', attempt, isTemporary: () => false };
  await rejectsCode(
    () => retryPatiently(patience, { ...context, signal: new AbortController().signal }),
    SupervisorError,
    'BOOT_CLOCK_UNTRUSTED',
  );
  t.equal(attempts, 1);
});
