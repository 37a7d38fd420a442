/** What a benchmark is doing, on standard error: its results alone go to standard output. */
export function tell(progress: string): void {
  console.error(`${new Date().toISOString().slice(11, 19)} ${progress}`);
}

/** So long a run must be before what it has taken says more than what was planned. */
const TELLING_MS = 10_000;

/** Tells each step with the time that all of it will still take: what is planned, corrected by how long what is done has taken. */
export class Progress {
  readonly #nowMs: () => number;
  readonly #startedMs: number;
  readonly #tell: (progress: string) => void;
  #plannedMs = 0;
  #doneMs = 0;
  #stepMs = 0;

  constructor(nowMs = () => performance.now(), tellStep = tell) {
    this.#nowMs = nowMs;
    this.#tell = tellStep;
    this.#startedMs = nowMs();
  }

  /** Of steps that will come. */
  plan(ms: number): void {
    this.#plannedMs += ms;
  }

  /** The step before it is done. @param ms as it was planned */
  step(what: string, ms: number): void {
    this.#doneMs += this.#stepMs;
    this.#stepMs = ms;
    this.#tell(`${what} (${this.left} left)`);
  }

  get leftMs(): number {
    const tookMs = this.#nowMs() - this.#startedMs;
    const factor = this.#doneMs > TELLING_MS ? tookMs / this.#doneMs : 1;
    return Math.max(0, this.#plannedMs - this.#doneMs) * factor;
  }

  get left(): string {
    const seconds = this.leftMs / 1_000;
    return seconds < 90 ? `about ${Math.ceil(seconds / 10) * 10} s` : `about ${Math.round(seconds / 60)} min`;
  }
}
