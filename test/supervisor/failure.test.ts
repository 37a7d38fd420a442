/** What ends an enclave that nothing had asked to end: the first cause, told to the parent as far as there is a way. */
import type { RequestListener } from 'node:http';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import type { Worker } from 'node:worker_threads';
import t from 'tap';
import { SupervisorError } from '../../supervisor/errors.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { bootingSupervisor } from './support/booting.ts';

/** When credentials that last for long are fetched again. */
const REFRESH_MS = 3600_000;
/** How long the parent has to take the last words. */
const FLUSH_MS = 2_000;
const CREDENTIALS = {
  Code: 'Success',
  AccessKeyId: 'ASIAAAAAAAAAAAAAAAAA',
  SecretAccessKey: 's',
  Token: 't',
  Expiration: '2030-01-01T00:00:00Z',
};

const answering: RequestListener = ({ url = '' }, response) => {
  if (url.endsWith('/token')) response.end('token');
  else response.end(url.endsWith('/security-credentials/') ? 'role' : JSON.stringify(CREDENTIALS));
};

/** Breaks the work of whoever wants to sleep for so long, when told to. */
class BreakableClock extends FakeClock {
  readonly #broken = Promise.withResolvers<never>();

  breakRefresh(error: Error): void {
    this.#broken.reject(error);
  }

  override sleep(durationMs: number, signal: AbortSignal): Promise<void> {
    return durationMs === REFRESH_MS ? this.#broken.promise : super.sleep(durationMs, signal);
  }
}

t.test('tells the parent what broke in the background, and that the enclave has failed for it', async (t) => {
  const clock = new BreakableClock();
  const { supervisor, parent } = await bootingSupervisor(t, clock, answering);
  const running = supervisor.run();
  await parent.until((heard) =>
    heard.find((message) => message.type === 'status' && message.status.phase === 'kms-entropy'),
  );
  clock.breakRefresh(new SupervisorError('CREDENTIALS_UNAVAILABLE', 'the refreshing broke'));
  t.match(await running, { kind: 'failed', error: { code: 'CREDENTIALS_UNAVAILABLE' } });
  const statuses = parent.heard.flatMap((message) => (message.type === 'status' ? [message.status] : []));
  t.match(statuses.at(-1), {
    state: 'failed',
    phase: 'kms-entropy',
    errorCode: 'CREDENTIALS_UNAVAILABLE',
    detail: 'the refreshing broke',
  });
});

t.test('ends at once when the relay dies while the boot waits for somebody outside (RELAY_WORKER_DIED)', async (t) => {
  const clock = new FakeClock();
  let worker: Worker | undefined;
  process.once('worker', (started: Worker) => {
    worker = started;
  });
  const asked = Promise.withResolvers<void>();
  const { supervisor, console, runtimeFolder } = await bootingSupervisor(t, clock, () => asked.resolve());
  const running = supervisor.run();
  await asked.promise;
  const gone = worker?.terminate();
  // It sleeps in the kernel; what knocks wakes it.
  createConnection({ path: join(runtimeFolder, 'control.sock') })
    .on('error', () => undefined)
    .unref();
  await gone;
  const failed = () => console.records.find(({ event }) => event === 'supervisor.failed');
  while (!failed()) {
    clock.advance(100);
    await new Promise((resolve) => setImmediate(resolve));
  }
  // Nobody is reached any more: the last words wait for as long as they may.
  clock.advance(FLUSH_MS);
  t.match(await running, { kind: 'failed', error: { code: 'RELAY_WORKER_DIED' } });
  t.match(failed(), { level: 'fatal', fields: { code: 'RELAY_WORKER_DIED' } });
});
