/**
 * The relay beside other relays, over TCP on loopback and over unix sockets; where a peer is there that speaks vsock, on the ways of an enclave
 * too. Load, relay and peer share the machine's cores, so that absolute numbers say little; the ratios within a run do.
 */
import type { BenchOptions } from '../options.ts';
import { type Progress, tell } from '../progress.ts';
import { machineFacts } from '../report/machine.ts';
import type { Part } from '../report/page.ts';
import { Results } from '../report/results.ts';
import { makeRoom } from './descriptors.ts';
import type { LoadName } from './measure.ts';
import { idleCounts, relayPart, WANTED_IDLE } from './report.ts';
import { leftOut, planRelays, relaysHere } from './run.ts';
import { USUAL } from './transports.ts';

/** @returns what measures, and then says what was measured */
export function planRelayBench(options: BenchOptions, progress: Progress, signal: AbortSignal): () => Promise<Part> {
  const { rounds, seconds } = options;
  const facts = machineFacts({ haproxy: ['-v'], nginx: ['-v'], socat: ['-V'] });
  const relays = relaysHere(options.relays);
  const lacking = leftOut(options.relays);
  for (const each of lacking) tell(`left out: ${each}`);
  const transports = options.transports.filter(
    (transport) => USUAL.includes(transport) || relays.some((kind) => kind.transports?.includes(transport)),
  );
  const mostIdle = makeRoom(WANTED_IDLE);
  if (mostIdle < WANTED_IDLE)
    tell(
      `the limit of open files, which may not be raised here, leaves ${mostIdle} idle connections of ${WANTED_IDLE}`,
    );
  const results = new Results();
  const measure = planRelays(
    {
      rounds,
      durationMs: 1_000 * seconds,
      transports,
      loads: options.loads.filter((load): load is LoadName => load !== 'idle'),
      idle: options.loads.includes('idle') ? idleCounts(mostIdle) : [],
      relays,
      signal,
    },
    results,
    progress,
  );
  return async () => {
    await measure();
    return relayPart({ results, facts, rounds, seconds, mostIdle, leftOut: lacking });
  };
}
