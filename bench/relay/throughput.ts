/**
 * Bulk throughput and round-trip time of the relay beside other relays, in one interleaved run on loopback TCP:
 *
 *   node bench/relay/throughput.ts [rounds] [seconds]
 *
 * socat and HAProxy take part when they are on PATH. Sender, relay and receiver share the machine's cores, so that absolute
 * numbers say little; the ratios within a run do.
 */
import { cpus } from 'node:os';
import type { Contender } from './contenders.ts';
import { startContenders } from './contenders.ts';
import { startScript } from './program.ts';

interface Sample {
  readonly gigabits: number;
  readonly cpuMsPerGib: number;
  readonly micros: number;
  readonly cpuMicrosPerTrip: number;
}

/** Until a relay that forks has reaped the child that served the connection. */
const SETTLE_MS = 50;

const [rounds = 3, seconds = 2] = process.argv.slice(2).map(Number);
await using stack = new AsyncDisposableStack();
const sink = startScript('load-peer.ts', 'sink');
stack.defer(() => sink.stop());
const echo = startScript('load-peer.ts', 'echo');
stack.defer(() => echo.stop());

/** Runs `load` and returns its numbers and the CPU time that the contender spent on it. */
async function withCpu(
  contender: Contender,
  load: () => Promise<string>,
): Promise<{ readonly result: number; readonly amount: number; readonly cpuMs: number }> {
  const before = contender.cpuMs();
  const [result, amount] = (await load()).split(' ').map(Number);
  await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
  return { result: result ?? Number.NaN, amount: amount ?? Number.NaN, cpuMs: contender.cpuMs() - before };
}

async function measure(contender: Contender): Promise<Sample> {
  const duration = String(seconds * 1000);
  const bulk = await withCpu(contender, async () => {
    await startScript('load-peer.ts', 'source', String(contender.bulkPort), duration).ended();
    return await sink.line();
  });
  const ping = await withCpu(contender, async () => {
    const program = startScript('load-peer.ts', 'ping', String(contender.pingPort), duration);
    const line = await program.line();
    await program.ended();
    return line;
  });
  return {
    gigabits: bulk.result,
    cpuMsPerGib: bulk.cpuMs / bulk.amount,
    micros: ping.result,
    cpuMicrosPerTrip: (ping.cpuMs * 1000) / ping.amount,
  };
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

function summarise(list: readonly Sample[]): Sample {
  const middle = (name: keyof Sample) => median(list.map((sample) => sample[name]));
  return {
    gigabits: middle('gigabits'),
    cpuMsPerGib: middle('cpuMsPerGib'),
    micros: middle('micros'),
    cpuMicrosPerTrip: middle('cpuMicrosPerTrip'),
  };
}

function row(sample: Sample, base: Sample) {
  const beside = (value: number, of: number, digits: number) => `${value.toFixed(digits)} (${(value / of).toFixed(2)})`;
  return {
    'bulk Gbit/s': beside(sample.gigabits, base.gigabits, 2),
    'CPU ms per GiB': beside(sample.cpuMsPerGib, base.cpuMsPerGib, 0),
    'round trip p50 µs': beside(sample.micros, base.micros, 1),
    'CPU µs per round trip': beside(sample.cpuMicrosPerTrip, base.cpuMicrosPerTrip, 1),
  };
}

const contenders = await startContenders([await sink.line(), await echo.line()], stack);
const samples = new Map(contenders.map(({ name }) => [name, [] as Sample[]]));
for (let round = 0; round < rounds; round++) {
  for (const contender of contenders) samples.get(contender.name)?.push(await measure(contender));
}
const base = summarise(samples.get('acra-enclave relay') ?? []);
console.log(`medians of ${rounds} rounds of ${seconds} s, ${cpus().length} cores, Node ${process.version}`);
console.log('in brackets: divided by the number of the acra-enclave relay');
console.table(Object.fromEntries([...samples].map(([name, list]) => [name, row(summarise(list), base)])));
