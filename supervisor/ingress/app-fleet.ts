/** The programs of an application with what stands before them, as one workload: clients are let go first, the programs behind them end last. */
import type { MetricSample } from '../../wire/metrics.ts';
import type { Member, MemberListener, Workload } from '../workloads/workload.ts';
import type { EndedPorts } from './ended-ports.ts';

export class AppFleet implements Workload {
  readonly #programs: Workload;
  readonly #ports: EndedPorts;

  constructor(programs: Workload, ports: EndedPorts) {
    this.#programs = programs;
    this.#ports = ports;
  }

  get members(): readonly Member[] {
    return [...this.#programs.members, this.#ports.member];
  }

  get essential(): readonly Member[] {
    return [...this.#programs.essential, this.#ports.member];
  }

  get samples(): readonly MetricSample[] {
    return [...this.#programs.samples, ...this.#ports.samples];
  }

  subscribe(notify: MemberListener): void {
    this.#programs.subscribe(notify);
    this.#ports.subscribe((state) => notify(this.#ports.member, state));
  }

  async drain(drainMs: number): Promise<void> {
    this.#ports.drain();
    await this.#programs.drain(drainMs);
  }

  async stop(): Promise<void> {
    await this.#ports.stop();
    await this.#programs.stop();
  }
}
