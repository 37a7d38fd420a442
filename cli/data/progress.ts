/** How far the tool is, for people, on standard error: rows, share, rows a second and what time is left. And what keeps it to a rate. */
import type { Clock } from '../../runtime/clock.ts';

const INTERVAL_MS = 2_000;

function duration(seconds: number): string {
  const [whole, units] = [Math.max(0, Math.round(seconds)), ['s', 'min', 'h'] as const];
  if (whole < 90) return `${whole} ${units[0]}`;
  return whole < 5_400 ? `${Math.round(whole / 60)} ${units[1]}` : `${Math.round(whole / 360) / 10} ${units[2]}`;
}

export class Progress {
  readonly #clock: Clock;
  readonly #tell: (text: string) => void;
  readonly #startMs: number;
  #expected = 0;
  #done = 0;
  #toldMs: number;

  /** @param tell gets a line */
  constructor(clock: Clock, tell: (text: string) => void) {
    this.#clock = clock;
    this.#tell = tell;
    this.#startMs = clock.monotonicMs();
    this.#toldMs = this.#startMs;
  }

  /** @param rows an estimate */
  expect(rows: number): void {
    this.#expected = rows;
  }

  add(rows: number): void {
    this.#done += rows;
    const now = this.#clock.monotonicMs();
    if (now - this.#toldMs < INTERVAL_MS) return;
    this.#toldMs = now;
    this.#tell(this.line());
  }

  get rowsPerSecond(): number {
    const seconds = (this.#clock.monotonicMs() - this.#startMs) / 1_000;
    return seconds > 0 ? this.#done / seconds : 0;
  }

  line(): string {
    const rate = this.rowsPerSecond;
    const share = this.#expected > 0 ? `, ${Math.min(100, Math.floor((100 * this.#done) / this.#expected))} %` : '';
    const left = this.#expected - this.#done;
    const time = left > 0 && rate > 0 ? `, about ${duration(left / rate)} left` : '';
    return `${this.#done} rows${share}, ${Math.round(rate)} rows a second${time}`;
  }
}

/** Keeps what is done to a number of rows a second, counted from its making. */
export class Throttle {
  readonly #clock: Clock;
  readonly #rowsPerSecond: number | undefined;
  #freeMs: number;

  constructor(clock: Clock, rowsPerSecond: number | undefined) {
    this.#clock = clock;
    this.#rowsPerSecond = rowsPerSecond;
    this.#freeMs = clock.monotonicMs();
  }

  /** @throws the signal's reason */
  async after(rows: number, signal: AbortSignal): Promise<void> {
    if (this.#rowsPerSecond === undefined) return;
    const now = this.#clock.monotonicMs();
    this.#freeMs = Math.max(now, this.#freeMs) + (1_000 * rows) / this.#rowsPerSecond;
    if (this.#freeMs > now) await this.#clock.sleep(this.#freeMs - now, signal);
  }
}
