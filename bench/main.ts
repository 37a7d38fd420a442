/**
 * Relay, chain and engine beside their peers, in one run each:
 *
 *   node bench/main.ts [relay] [chain] [engine] [--rounds 5] [--seconds 0.3] [--write] [--replace]
 *     [--transports tcp,unix] [--loads …] [--relays …] [--workloads …] [--protocols simple,prepared] [--clients 1,8,64]
 *
 * --seconds: of each measurement. What is not installed is left out, and told. Prints what it has measured; with --write it goes into docs/performance.md with
 * pictures and all numbers, but those of the stand-in do not take the place of acra-server's without --replace.
 */
import { acraUnderTest } from '../test/support/stack.ts';
import { planChainBench } from './chain/bench.ts';
import { planEngineBench } from './engine/bench.ts';
import { exitCodeOf } from './interrupt.ts';
import { type BenchOptions, readOptions } from './options.ts';
import { Progress, tell } from './progress.ts';
import { planRelayBench } from './relay/bench.ts';
import { type Part, textForTerminal, writeParts } from './report/page.ts';

async function measure(options: BenchOptions, signal: AbortSignal): Promise<Part[]> {
  const progress = new Progress();
  const acraProgram = await acraUnderTest();
  const planned = options.parts.map((name) => {
    if (name === 'relay') return planRelayBench(options, progress, signal);
    if (name === 'chain') return planChainBench(options, acraProgram, progress, signal);
    return planEngineBench(options, acraProgram, progress, signal);
  });
  tell(`${options.rounds} round${options.rounds === 1 ? '' : 's'}: ${progress.left} in all`);
  const parts: Part[] = [];
  for (const run of planned) {
    if (!run) continue;
    const part = await run();
    console.log(`\n### ${part.name}\n\n${textForTerminal(part)}\n`);
    parts.push(part);
  }
  return parts;
}

function write(parts: readonly Part[], { mayReplace }: BenchOptions): void {
  const kept = writeParts(parts, mayReplace);
  for (const name of kept) {
    tell(
      `docs/performance.md keeps acra-server's numbers of ${name}: this run had the stand-in (ACRA_SERVER=/path/to/acra-server, or --replace)`,
    );
  }
}

process.exitCode = await exitCodeOf(async (signal) => {
  const options = readOptions(process.argv.slice(2));
  const parts = await measure(options, signal);
  signal.throwIfAborted();
  if (options.isWritten) write(parts, options);
  return 0;
});
