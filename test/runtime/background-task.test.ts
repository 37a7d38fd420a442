import t from 'tap';
import { BackgroundTask } from '../../runtime/background-task.ts';
import { FakeClock } from '../support/fake-clock.ts';

const signal = () => new AbortController().signal;

t.test('ends its work when told to stop, without calling that a failure', async (t) => {
  const clock = new FakeClock();
  const failures: unknown[] = [];
  const task = new BackgroundTask(
    (stop) => clock.sleep(1000, stop),
    (error) => failures.push(error),
  );
  await task.start(signal());
  await clock.untilSleeping();
  await task.stop();
  t.equal(clock.sleeping, 0);
  t.same(failures, []);
});

t.test('tells its owner when the work ends with an error', async (t) => {
  const error = new Error('broken');
  const failure = new Promise<unknown>((resolve) => {
    const task = new BackgroundTask(async () => Promise.reject(error), resolve);
    task.start(signal()).catch(() => undefined);
  });
  t.equal(await failure, error);
});

t.test('does not start after its composer was told to stop', async (t) => {
  const task = new BackgroundTask(
    async () => void t.fail('ran'),
    () => undefined,
  );
  t.throws(() => task.start(AbortSignal.abort(new Error('stop'))), { message: 'stop' });
});
