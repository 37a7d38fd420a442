/** One statement under way: what has been drawn, and which names can be used where the next word stands. */
import { seededRandom } from '../../../support/seeded-random.ts';

/** `searched` and `kept` are protected columns, and text to the twin. */
export type Kind = 'number' | 'text' | 'searched' | 'kept' | 'other';

export interface Named {
  readonly name: string;
  readonly kind: Kind;
}

export interface Shown {
  readonly name: string;
  readonly columns: readonly Named[];
  /** It may have its schema before it. */
  readonly isTable?: boolean;
}

const BLOCK_BYTES = 512;

export class Draw {
  readonly #random;
  #block: Buffer = Buffer.alloc(0);
  #at = 0;
  /** The relations of each query that is open, the innermost last. */
  frames: Shown[][] = [];
  /** Those of WITH. */
  queries: Shown[] = [];
  /** Of parameters. */
  readonly values: string[] = [];
  readonly hasParameters: boolean;

  constructor(seed: string) {
    this.#random = seededRandom(seed);
    this.hasParameters = this.is(50);
  }

  below(count: number): number {
    if (this.#at + 2 > this.#block.length) {
      this.#block = this.#random.bytes(BLOCK_BYTES);
      this.#at = 0;
    }
    this.#at += 2;
    return this.#block.readUInt16LE(this.#at - 2) % count;
  }

  is(percent: number): boolean {
    return this.below(100) < percent;
  }

  of<Each>(first: Each, ...others: readonly Each[]): Each {
    return [first, ...others][this.below(others.length + 1)] ?? first;
  }

  any<Each>(first: () => Each, ...others: readonly (() => Each)[]): Each {
    return this.of(first, ...others)();
  }

  times<Each>(count: number, make: (index: number) => Each): Each[] {
    return Array.from({ length: count }, (_, index) => make(index));
  }

  /** The innermost query's relations. */
  get frame(): Shown[] {
    return this.frames.at(-1) ?? [];
  }

  /** What `make` opens is closed behind it. */
  within<Made>(frames: Shown[][], make: () => Made): Made {
    const [before, queries] = [this.frames, this.queries];
    [this.frames, this.queries] = [frames, [...queries]];
    try {
      return make();
    } finally {
      [this.frames, this.queries] = [before, queries];
    }
  }
}
