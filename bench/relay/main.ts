/**
 * The relay beside other relays, over TCP on loopback and over unix sockets, in one interleaved run:
 *
 *   node bench/relay/main.ts [--rounds 5] [--seconds 1] [--transports tcp,unix] [--loads …] [--relays …] [--write]
 *
 * Those that are not installed are left out. Load, relay and peer share the machine's cores, so that absolute numbers say little; the ratios
 * within a run do. Writes build/bench/relay.csv; with --write its part of docs/performance.md and the charts.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { tell } from '../progress.ts';
import { machineFacts } from '../report/machine.ts';
import { Results } from '../report/results.ts';
import { measureIdle } from './idle.ts';
import { LOADS, type LoadName } from './measure.ts';
import { RELAYS, type Transport } from './relays/start.ts';
import { relayReport } from './report.ts';
import { runRelays } from './run.ts';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '1' },
    transports: { type: 'string', default: 'tcp,unix' },
    loads: { type: 'string', default: [...LOADS.map(({ name }) => name), 'idle'].join(',') },
    relays: { type: 'string', default: RELAYS.map(({ name }) => name).join(',') },
    write: { type: 'boolean', default: false },
  },
});
const rounds = Number(values.rounds);
const loads = values.loads.split(',');
const relays = values.relays.split(',');
const transports = values.transports.split(',') as Transport[];

const OTHER_DESCRIPTORS = 100;
/** A relay holds two descriptors a connection. */
const hardLimit = Number(
  execFileSync('/bin/sh', ['-c', 'ulimit -Hn'], { encoding: 'utf8' }).replace('unlimited', '1e9'),
);
const MOST_IDLE = Math.min(10_000, Math.floor((hardLimit - OTHER_DESCRIPTORS) / 2));

async function runIdle(results: Results): Promise<void> {
  const kinds = RELAYS.filter(({ name, forks }) => relays.includes(name) && name !== 'none' && !forks);
  for (let round = 0; round < rounds; round++) {
    for (const transport of transports) {
      for (const kind of kinds) {
        tell(`round ${round + 1} of ${rounds}: ${transport}, idle connections, ${kind.name}`);
        for (const { connections, residentBytes, cpuMsPerSecond } of (await measureIdle(kind, transport, [
          0,
          1_000,
          MOST_IDLE,
        ])) ?? []) {
          const sample = { residentMb: residentBytes / 1e6, idleCpuMsPerSecond: cpuMsPerSecond };
          results.add({ transport, load: `idle-${connections}` }, kind.name, round, sample);
        }
      }
    }
  }
}

const facts = machineFacts({ haproxy: ['-v'], nginx: ['-v'], socat: ['-V'] });
const results = new Results();
await runRelays(
  { rounds, durationMs: 1_000 * Number(values.seconds), transports, loads: loads as LoadName[], relays },
  results,
);
if (loads.includes('idle')) await runIdle(results);
mkdirSync('build/bench', { recursive: true });
writeFileSync('build/bench/relay.csv', results.csv());
console.log(
  relayReport({
    results,
    facts,
    rounds,
    seconds: Number(values.seconds),
    mostIdle: MOST_IDLE,
    isWritten: values.write,
  }),
);
