/** Processor time of our relay beside each peer's that is there, in one interleaved run: what a trip, a byte and a connection cost. */
import { median } from '../median.ts';
import { type Progress, tell } from '../progress.ts';
import type { LoadName } from '../relay/measure.ts';
import { OURS } from '../relay/relays/kinds.ts';
import { leftOut, planRelays, relaysHere } from '../relay/run.ts';
import type { Transport } from '../relay/transports.ts';
import type { MeasureName } from '../report/measures.ts';
import { Results } from '../report/results.ts';
import type { Ratio } from './ratio.ts';

const ROUNDS = 5;
const DURATION_MS = 300;
/** The quickest peer, and one that is everywhere. */
const PEERS = ['HAProxy', 'Node streams'];
const TRANSPORTS: readonly Transport[] = ['tcp', 'unix'];
const MEASURED: readonly (readonly [LoadName, MeasureName])[] = [
  ['ping-1', 'cpuUsPerTrip'],
  ['ping-64', 'cpuUsPerTrip'],
  ['one-way', 'cpuMsPerGib'],
  ['set-up', 'cpuUsPerConnection'],
];

function ratiosOf(results: Results): Ratio[] {
  return TRANSPORTS.flatMap((transport) =>
    MEASURED.flatMap(([load, measure]) => {
      const subject = { transport, load };
      const own = results.values(subject, OURS, measure);
      return PEERS.filter((peer) => results.whoIn(subject).includes(peer)).map((peer) => {
        const theirs = results.values(subject, peer, measure);
        const rounds = own.map((value, round) => value / (theirs[round] ?? Number.NaN));
        return { name: `relay, ${transport}, ${load}: CPU beside ${peer}`, measured: median(rounds), rounds };
      });
    }),
  );
}

export function planRelayRatios(progress: Progress, signal: AbortSignal): () => Promise<Ratio[]> {
  const results = new Results();
  const loads = MEASURED.map(([load]) => load);
  for (const each of leftOut(PEERS)) tell(`left out: ${each}`);
  const relays = relaysHere([OURS, ...PEERS]);
  const run = { rounds: ROUNDS, durationMs: DURATION_MS, transports: TRANSPORTS, loads, idle: [], relays, signal };
  const measure = planRelays(run, results, progress);
  return async () => {
    await measure();
    return ratiosOf(results);
  };
}
