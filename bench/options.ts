/** What a run of the benchmarks is asked for: one command line for all of them, checked before anything starts. */
import { PROTOCOLS, type Protocol } from './chain/pgbench.ts';
import { SCRIPTS } from './chain/scripts.ts';
import { namesOf, numberOf, parsed, UsageError, wholeNumberOf } from './flags.ts';
import { LOADS, type LoadName } from './relay/measure.ts';
import { RELAYS } from './relay/relays/kinds.ts';
import { TRANSPORTS, type Transport } from './relay/transports.ts';

export const PARTS = ['relay', 'chain', 'engine'] as const;
export type PartName = (typeof PARTS)[number];

export interface BenchOptions {
  readonly parts: readonly PartName[];
  readonly rounds: number;
  /** Of each measurement. */
  readonly seconds: number;
  readonly transports: readonly Transport[];
  /** `idle` too. */
  readonly loads: readonly (LoadName | 'idle')[];
  readonly relays: readonly string[];
  readonly clients: readonly number[];
  readonly workloads: readonly string[];
  readonly protocols: readonly Protocol[];
  /** Into docs/. */
  readonly isWritten: boolean;
  /** The stand-in's numbers may take the place of acra-server's in docs/. */
  readonly mayReplace: boolean;
}

const NAMES = {
  transports: Object.keys(TRANSPORTS),
  loads: [...LOADS.map(({ name }) => name), 'idle'],
  relays: RELAYS.map(({ name }) => name),
  workloads: SCRIPTS.map(({ name }) => name),
  protocols: PROTOCOLS,
} as const satisfies Readonly<Record<string, readonly string[]>>;

const OPTIONS = {
  rounds: { type: 'string', default: '5' },
  seconds: { type: 'string', default: '0.3' },
  transports: { type: 'string' },
  loads: { type: 'string' },
  relays: { type: 'string' },
  clients: { type: 'string', default: '1,8,64' },
  workloads: { type: 'string' },
  protocols: { type: 'string' },
  write: { type: 'boolean', default: false },
  replace: { type: 'boolean', default: false },
} as const;

const MAX_ROUNDS = 1_000;
const MAX_SECONDS = 3_600;
/** What the demo's PostgreSQL lets in, with room for the enclave's own. */
const MAX_CLIENTS = 64;

/** @throws UsageError */
export function readOptions(args: readonly string[]): BenchOptions {
  const { values, positionals } = parsed(args, OPTIONS);
  const unknown = positionals.find((name) => !PARTS.some((part) => part === name));
  if (unknown !== undefined) throw new UsageError(`${unknown}: there are ${PARTS.join(', ')}`);
  const inSeconds = (value: number) => value > 0 && value <= MAX_SECONDS;
  return {
    parts: PARTS.filter((part) => positionals.length === 0 || positionals.includes(part)),
    rounds: wholeNumberOf('rounds', values.rounds, 1, MAX_ROUNDS),
    seconds: numberOf('seconds', values.seconds, inSeconds, `a number above 0, up to ${MAX_SECONDS}`),
    transports: namesOf('transports', values.transports, NAMES.transports) as readonly Transport[],
    loads: namesOf('loads', values.loads, NAMES.loads) as readonly (LoadName | 'idle')[],
    relays: namesOf('relays', values.relays, NAMES.relays),
    clients: values.clients.split(',').map((text) => wholeNumberOf('clients', text, 1, MAX_CLIENTS)),
    workloads: namesOf('workloads', values.workloads, NAMES.workloads),
    protocols: namesOf('protocols', values.protocols, NAMES.protocols) as readonly Protocol[],
    isWritten: values.write,
    mayReplace: values.replace,
  };
}
