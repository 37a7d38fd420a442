/** A fleet under load, and one event after the other. */
import type { AcraProgram } from '../../acra/obtain/program.ts';
import { tell } from '../progress.ts';
import { EVENTS } from './events.ts';
import { type Fleet, startFleet } from './fleet.ts';
import { type LoadTarget, serveAll } from './load/client.ts';
import { Ledger } from './load/ledger.ts';
import { type Measured, measureEvent, sumOf } from './measure.ts';
import type { FleetOptions } from './options.ts';
import { faultsOf } from './stored.ts';

const START_LIMIT_MS = 300_000;
/** Of the longest one, which drains every host. */
const EVENT_LIMIT_MS = 600_000;

export interface FleetRun {
  readonly measured: readonly Measured[];
  readonly acknowledged: number;
  /** What must not be, a line each. */
  readonly faults: readonly string[];
}

async function underLoad<Result>(
  fleet: Fleet,
  clients: number,
  ledger: Ledger,
  run: () => Promise<Result>,
): Promise<Result> {
  let isOver = false;
  let id = 0;
  const target: LoadTarget = { stack: fleet.stack, address: fleet.address, ledger, nextId: () => ++id };
  const served = serveAll(target, clients, () => !isOver);
  try {
    return await run();
  } finally {
    isOver = true;
    await served;
  }
}

function words({ event, answered, lost, failed, unknown, endedMs }: Measured): string {
  const again = endedMs === undefined ? 'nobody noticed' : `trouble ended after ${(endedMs / 1_000).toFixed(1)} s`;
  return `${event.name}: ${answered} answered, ${sumOf(failed)} failed, ${sumOf(unknown)} unknown, ${sumOf(lost)} sessions lost; ${again}`;
}

/** @throws with the signal's reason, when all is given back */
export async function runFleet(
  acraProgram: AcraProgram,
  options: FleetOptions,
  signal: AbortSignal,
): Promise<FleetRun> {
  await using stops = new AsyncDisposableStack();
  tell(`starting ${options.hosts} hosts, with ${acraProgram.description}`);
  const starting = AbortSignal.any([signal, AbortSignal.timeout(START_LIMIT_MS)]);
  const fleet = await startFleet(acraProgram, options, starting, stops);
  const ledger = new Ledger();
  const measured: Measured[] = [];
  await underLoad(fleet, options.clients, ledger, async () => {
    for (const event of EVENTS.filter(({ name }) => options.events.includes(name))) {
      tell(`${event.name}: ${event.what}`);
      const within = AbortSignal.any([signal, AbortSignal.timeout(EVENT_LIMIT_MS)]);
      const one = await measureEvent(event, fleet, ledger, options.clients, within);
      tell(words(one));
      measured.push(one);
    }
  });
  const wrong = ledger.entries.filter(({ kind }) => kind === 'wrong').length;
  const faults = [...(wrong === 0 ? [] : [`${wrong} wrong answers`]), ...(await faultsOf(fleet, ledger.written))];
  const acknowledged = ledger.written.filter(({ outcome }) => outcome === 'acknowledged').length;
  return { measured, acknowledged, faults };
}
