/** A life cycle on a fake machine, a fake clock and a real view; what the enclave would say is said by the test. */
import { nitroCliRun } from '../../../../config/enclave-run.ts';
import { EnclaveView } from '../../../../host-proxy/enclave/view.ts';
import { EnclaveLifecycle } from '../../../../host-proxy/machine/lifecycle.ts';
import { LineBuffer } from '../../../../system/lines/line-buffer.ts';
import type { EnclaveStatus } from '../../../../wire/control/messages.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { MemoryLogger } from '../../../support/memory-logger.ts';
import { seededRandom } from '../../../support/seeded-random.ts';
import { FakeDriver } from './fake-driver.ts';

const STEP_MS = 50;

export class StageHand {
  readonly clock = new FakeClock();
  readonly logger = new MemoryLogger();
  readonly view = new EnclaveView(this.clock, 20_000);
  readonly console = new LineBuffer({ maxLines: 100, maxBytes: 100_000 });
  /** Everything that was asked of the machine and of the enclave, in order. */
  readonly calls: string[] = [];
  readonly driver = new FakeDriver(this.calls);
  readonly stages: string[] = [];
  readonly stop = new AbortController();
  readonly lifecycle: EnclaveLifecycle;
  /** Whether the enclave can be asked to stop. */
  answers = true;

  constructor(settings: Record<string, unknown> = {}) {
    const run = nitroCliRun.parse({ driver: 'nitro-cli', image: '/none', ...settings });
    this.lifecycle = new EnclaveLifecycle({
      run,
      driver: this.driver,
      host: this,
      clock: this.clock,
      random: seededRandom('lifecycle'),
      console: this.console,
      onChange: () => {
        const { stage } = this.lifecycle.status;
        if (this.stages.at(-1) !== stage) this.stages.push(stage);
      },
    });
  }

  requestEnclaveStop(): boolean {
    this.calls.push('ask to stop');
    return this.answers;
  }

  enclaveEnded(): void {
    this.calls.push('ended');
    this.view.machineEnded();
  }

  /** The enclave reports. */
  say(state: EnclaveStatus['state'], phase = 'serve', more: Partial<EnclaveStatus> = {}): void {
    this.view.status = { state, phase, detail: null, errorCode: null, sinceMs: 0, ...more };
    this.view.heard();
    this.view.changed();
  }

  /** Lets time pass in small steps, so that whoever waits can act in between. */
  async pass(durationMs: number): Promise<void> {
    for (let passedMs = 0; passedMs < durationMs; passedMs += STEP_MS) {
      await flush();
      this.clock.advance(STEP_MS);
    }
    await flush();
  }

  /** Keeps the enclave from being called silent while time passes. */
  async passHeard(durationMs: number): Promise<void> {
    for (let passedMs = 0; passedMs < durationMs; passedMs += 1_000) {
      this.view.heard();
      await this.pass(1_000);
    }
  }

  /** Stops an enclave that cannot be asked. */
  async finish(running: Promise<void>): Promise<void> {
    this.answers = false;
    this.stop.abort();
    await running;
  }

  /** From the start to the heartbeat. */
  async boot(): Promise<void> {
    await flush();
    this.driver.newest.beat();
    await flush();
  }

  /** From the start to serving. */
  async serve(): Promise<void> {
    await this.boot();
    this.say('serving');
    await flush();
  }
}

/** Lets everything that can go on go on. */
export async function flush(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) await new Promise(setImmediate);
}
