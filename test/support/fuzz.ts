/**
 * Properties that must hold for any input, in two forms: a few hundred cases of a fixed seed among the tests, and millions by
 * `make fuzz` (docs/fuzzing.md). What was found once stays with its property, and is tried first.
 */
import fc from 'fast-check';

/** A case is small: one that takes so long takes time that grows faster than it, or never ends. */
const MAX_CASE_MS = 5_000;

interface Property<Input> {
  /** A row of the table. */
  readonly parser: string;
  /** What must be true. */
  readonly name: string;
  /** Of the cases: 1, or less where one is slow. */
  readonly share?: number;
  readonly inputs: fc.Arbitrary<Input>;
  readonly findings?: readonly Input[];
  /** Throws where it does not hold. */
  readonly holds: (input: Input) => unknown;
}

interface Outcome {
  readonly cases: number;
  readonly slowestMs: number;
  /** With the input, and what to set to see it again. */
  readonly finding: string | undefined;
}

export interface Fuzzer {
  readonly parser: string;
  readonly name: string;
  readonly share: number;
  /** Stops at the first finding. */
  readonly run: (seed: number, cases: number) => Promise<Outcome>;
}

export function fuzzer<Input>({ inputs, findings = [], holds, share = 1, ...named }: Property<Input>): Fuzzer {
  return {
    ...named,
    share,
    run: async (seed, cases) => {
      let slowestMs = 0;
      const property = fc.asyncProperty(inputs, async (input) => {
        const startMs = performance.now();
        await holds(input);
        const takenMs = performance.now() - startMs;
        slowestMs = Math.max(slowestMs, takenMs);
        if (takenMs > MAX_CASE_MS) throw new Error(`it takes ${Math.round(takenMs)} ms`);
      });
      const examples = findings.map((input): [Input] => [input]);
      const details = await fc.check(property, {
        seed,
        numRuns: cases + examples.length,
        examples,
        timeout: MAX_CASE_MS,
        includeErrorInReport: true,
      });
      return { cases: details.numRuns, slowestMs, finding: fc.defaultReportMessage(details) };
    },
  };
}
