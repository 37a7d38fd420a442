/** How long it takes from the start of the supervisor to its readiness, phase by phase, and from acra-server's death to the next answer. */
import { connectThroughEnclave } from '../../cli/demo/clients.ts';
import type { Stack } from '../../cli/demo/stack.ts';
import { acraPid, logLines } from '../../test/support/stack.ts';
import { median } from '../median.ts';

export interface Starts {
  readonly readyMs: readonly number[];
  /** In their order; the middle of all boots. */
  readonly phasesMs: ReadonlyMap<string, number>;
}

/** Another enclave in the place of the one that runs. @returns ms from its start to its readiness */
async function bootAnew(stack: Stack, signal: AbortSignal): Promise<number> {
  await stack.enclave.supervisor?.stop();
  const before = await stack.enclave.until(() => true, signal);
  const startMs = performance.now();
  stack.enclave.startSupervisor();
  await stack.enclave.until(({ ready, bootId }) => ready && bootId !== before.bootId, signal);
  return performance.now() - startMs;
}

/** The last enclave is left running. */
export async function bootTimes(stack: Stack, boots: number, signal: AbortSignal): Promise<Starts> {
  const readyMs: number[] = [];
  for (let boot = 0; boot < boots; boot += 1) readyMs.push(await bootAnew(stack, signal));
  const phases = new Map<string, number[]>();
  for (const { event, phase, durationMs } of logLines(stack.enclave, 'supervisor')) {
    if (event !== 'boot.phase-done') continue;
    phases.set(String(phase), [...(phases.get(String(phase)) ?? []), Number(durationMs)]);
  }
  return { readyMs, phasesMs: new Map([...phases].map(([name, all]) => [name, median(all)])) };
}

/**
 * acra-server is killed, in an enclave of its own each time: of kills in turn the later would show how long the restarts wait, which doubles.
 *
 * @returns ms until a client that asks again and again has a protected value of one that has been started since
 */
export async function recoveryMs(stack: Stack, signal: AbortSignal): Promise<number> {
  await bootAnew(stack, signal);
  const address = await stack.enclave.untilServing(signal);
  const pid = acraPid(stack.enclave);
  const startMs = performance.now();
  process.kill(pid, 'SIGKILL');
  for (;;) {
    signal.throwIfAborted();
    const client = await connectThroughEnclave(stack, address).catch(() => undefined);
    if (client) {
      const answered = await client.query('SELECT diagnosis FROM patients WHERE id = 1').then(
        () => true,
        () => false,
      );
      await client.end();
      if (answered && acraPid(stack.enclave) !== pid) return performance.now() - startMs;
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
