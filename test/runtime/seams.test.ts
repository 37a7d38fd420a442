import { mock } from 'node:test';
import { inspect } from 'node:util';
import t from 'tap';
import { backoffMs } from '../../runtime/backoff.ts';
import { systemClock } from '../../runtime/clock.ts';
import { CodedError, describeError, errorCode } from '../../runtime/errors.ts';
import { RuntimeError } from '../../runtime/runtime-errors.ts';
import { SecretBuffer } from '../../runtime/secret-buffer.ts';
import { throwsCode } from '../support/coded-error.ts';
import { seededRandom } from '../support/seeded-random.ts';

t.test('keeps secret bytes out of everything that prints', async (t) => {
  const secret = SecretBuffer.take(Buffer.from('top-secret'));
  for (const text of [
    String(secret),
    `${secret}`,
    JSON.stringify({ secret }),
    inspect(secret),
    inspect({ secret }, { depth: 9, showHidden: true }),
  ]) {
    t.notMatch(text, /top-secret|746f70|116, 111/);
  }
});

t.test('takes secret bytes over and zeroes what it was given, and itself when done', async (t) => {
  const source = Buffer.from('top-secret');
  const secret = SecretBuffer.take(source);
  t.ok(source.equals(Buffer.alloc(10)));
  const own = secret.use((bytes) => bytes);
  t.equal(own.toString(), 'top-secret');
  secret.dispose();
  t.ok(own.equals(Buffer.alloc(10)));
  throwsCode(() => secret.use(() => undefined), RuntimeError, 'RUNTIME_SECRET_WIPED');
});

t.test('doubles waits up to the limit, with jitter of half', async (t) => {
  const random = seededRandom('backoff');
  for (const [attempt, base] of [
    [0, 100],
    [1, 200],
    [2, 400],
    [5, 3200],
    [9, 5000],
    [1000, 5000],
  ] as const) {
    const waitMs = backoffMs({ minMs: 100, maxMs: 5000 }, attempt, random);
    t.ok(waitMs >= base / 2 && waitMs <= base, `attempt ${attempt}: ${waitMs}`);
  }
});

t.test(
  'keeps a sleeper asleep for as long as a timer of Node can count, and for that long when it asks for more',
  async (t) => {
    mock.timers.enable({ apis: ['setTimeout'] });
    t.teardown(() => mock.timers.reset());
    const MAX_TIMER_MS = 2 ** 31 - 1;
    const woken: string[] = [];
    const never = new AbortController().signal;
    const short = systemClock.sleep(50, never).then(() => woken.push('short'));
    const long = systemClock.sleep(2 ** 31, never).then(() => woken.push('long'));
    mock.timers.tick(49);
    await Promise.resolve();
    t.same(woken, []);
    mock.timers.tick(1);
    await short;
    mock.timers.tick(MAX_TIMER_MS - 51);
    await Promise.resolve();
    t.same(woken, ['short']);
    mock.timers.tick(1);
    await long;
    t.same(woken, ['short', 'long']);
  },
);

t.test('wakes a sleeper at once when its signal aborts', async (t) => {
  const stop = new AbortController();
  const sleeping = systemClock.sleep(3600_000, stop.signal);
  stop.abort(new Error('stop'));
  await t.rejects(sleeping, { message: 'stop' });
  await t.rejects(systemClock.sleep(1, stop.signal), { message: 'stop' });
});

t.test('describes an error with what was found, what is allowed, and its causes', async (t) => {
  const cause = Object.assign(new Error('connection refused'), { code: 'ECONNREFUSED' });
  const error = new CodedError('X_FAILED', 'it failed', { found: 'a', allowed: 'b', cause });
  t.equal(describeError(error), 'it failed; found: a; allowed: b; cause: connection refused');
  t.equal(errorCode(error), 'X_FAILED');
  t.equal(errorCode(error.cause), 'ECONNREFUSED');
  t.equal(errorCode('text'), undefined);
});

t.test('tells no cause that the message has told already, and keeps it', async (t) => {
  const cause = new Error('[{"path": ["a"]}]');
  const error = new CodedError('SOME_CODE', 'a: too small', { cause, causeIsTold: true });
  t.equal(describeError(error), 'a: too small');
  t.equal(error.cause, cause);
});
