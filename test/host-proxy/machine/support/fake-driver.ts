/** A machine that does what the test says, and remembers what was asked of it. */

import type { EnclaveDriver, EnclaveEnd, RunningEnclave } from '../../../../host-proxy/machine/driver.ts';
import type { Cid } from '../../../../wire/brands.ts';
import { toCid } from '../../../../wire/brands.ts';

export class FakeEnclave implements RunningEnclave {
  readonly id: string;
  readonly cid: Cid = toCid(16);
  readonly heartbeat: Promise<void>;
  readonly ended: Promise<EnclaveEnd>;
  readonly #heartbeat = Promise.withResolvers<void>();
  readonly #ended = Promise.withResolvers<EnclaveEnd>();
  readonly #calls: string[];
  /** When set, `terminate` rejects with it. */
  terminateError: Error | undefined;

  constructor(id: string, calls: string[]) {
    this.id = id;
    this.#calls = calls;
    this.heartbeat = this.#heartbeat.promise;
    this.ended = this.#ended.promise;
    this.heartbeat.catch(() => undefined);
  }

  beat(): void {
    this.#heartbeat.resolve();
  }

  beatWrongly(error: Error): void {
    this.#heartbeat.reject(error);
  }

  end(detail = 'the test ended it'): void {
    this.#ended.resolve({ how: 'exited', detail });
  }

  async terminate(): Promise<void> {
    this.#calls.push(`terminate ${this.id}`);
    if (this.terminateError) throw this.terminateError;
    this.#ended.resolve({ how: 'terminated', detail: 'terminated' });
  }
}

export class FakeDriver implements EnclaveDriver {
  readonly kind = 'qemu';
  readonly hasConsole = true;
  /** Of this driver and its enclaves, in order. */
  readonly calls: string[];
  readonly enclaves: FakeEnclave[] = [];
  /** When set, `start` rejects with it. */
  startError: Error | undefined;
  /** When true, `start` goes on until its signal aborts. */
  hangs = false;

  constructor(calls: string[]) {
    this.calls = calls;
  }

  get newest(): FakeEnclave {
    return this.enclaves.at(-1)!;
  }

  async start(signal: AbortSignal): Promise<RunningEnclave> {
    this.calls.push('start');
    if (this.startError) throw this.startError;
    if (this.hangs) {
      await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }));
    }
    const enclave = new FakeEnclave(`machine-${this.enclaves.length + 1}`, this.calls);
    this.enclaves.push(enclave);
    return enclave;
  }
}
