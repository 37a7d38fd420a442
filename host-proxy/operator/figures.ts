/**
 * What both daemons count, arranged for people: the status page and `status --json` read it. Made of the same samples as `/metrics`, so that
 * they cannot differ; numbers and labels only.
 */
import { z } from 'zod';
import type { MetricSample } from '../../wire/metrics.ts';

const tally = z.record(z.string(), z.number());
type Tally = z.infer<typeof tally>;

const SIDES = ['parent', 'enclave'] as const;
type Side = (typeof SIDES)[number];

const route = z.object({
  side: z.enum(SIDES),
  route: z.string(),
  /** Connections held now, and those of them that have not reached their upstream yet. */
  active: z.number(),
  pending: z.number(),
  /** Since the daemon of that side began: taken by the listener, and of them those that reached their upstream. */
  accepted: z.number(),
  opened: z.number(),
  /** Connections that came to no upstream for a fault or a refusal, broke, or were closed for a limit: by what it was. */
  errors: tally,
  bytesUp: z.number(),
  bytesDown: z.number(),
});
type RouteFigures = z.infer<typeof route>;

const program = z.object({
  program: z.string(),
  isHealthy: z.boolean(),
  restarts: z.number(),
  residentBytes: z.number(),
  /** By what is at stake (acra/server/log-concerns.ts); empty for what raises none. */
  alarms: tally,
});

export const figures = z.object({
  routes: z.array(route),
  /** As the front counts them; null while nothing is heard of it, and where there is none. */
  sessions: z.object({ open: z.number(), pending: z.number(), evicted: z.number(), refused: tally }).nullable(),
  /** What guards have counted for all identities together; null where there is none. */
  guard: z
    .object({
      /** By verdict. */
      statements: tally,
      /** Refused texts by kind (docs/refusals.md), and those that were only reported. */
      refused: tally,
      reported: tally,
      /** By operation of the engine. */
      values: tally,
      containersElsewhere: z.number(),
      contradictedCells: z.number(),
    })
    .nullable(),
  programs: z.array(program),
  /** Since KMS last granted the master key; null where it is not asked again. */
  leaseAgeMs: z.number().nullable(),
  /** Null while nothing is heard. */
  enclave: z.object({ uptimeMs: z.number(), availableBytes: z.number() }).nullable(),
});
export type Figures = z.infer<typeof figures>;

type Samples = readonly MetricSample[];
const MS_PER_SECOND = 1_000;

const named = (samples: Samples, name: string): Samples => samples.filter((told) => told.name === name);
const soleValue = (samples: Samples, name: string): number | undefined => named(samples, name)[0]?.value;
const sum = (samples: Samples): number => samples.reduce((total, { value }) => total + value, 0);

/** Of one metric, added up by one of its labels. */
function tallyBy(samples: Samples, label: string): Tally {
  const groups = Map.groupBy(samples, ({ labels }) => labels[label] ?? '');
  return Object.fromEntries([...groups].map(([name, of]) => [name, sum(of)]));
}

/** Attempts that ended well, or because whoever connected left. */
const ORDERLY: ReadonlySet<string> = new Set(['opened', 'gone', 'cancelled']);
/** These are counted by relay_shed_total and relay_broken_connections_total too, with those that had been open. */
const COUNTED_ELSEWHERE: ReadonlySet<string> = new Set(['shed', 'cut', 'failed']);

function errorsOf(samples: Samples): Tally {
  const outcomes = tallyBy(named(samples, 'relay_connections_total'), 'outcome');
  const unreached = Object.entries(outcomes).filter(([name]) => !ORDERLY.has(name) && !COUNTED_ELSEWHERE.has(name));
  const broken = Object.entries(tallyBy(named(samples, 'relay_broken_connections_total'), 'reason'));
  const shed = Object.entries(tallyBy(named(samples, 'relay_shed_total'), 'reason'));
  return Object.fromEntries([
    ...unreached,
    ...broken.map(([reason, count]) => [`broken_${reason}`, count] as const),
    ...shed.map(([reason, count]) => [`shed_${reason}`, count] as const),
    ['resets', sum(named(samples, 'relay_resets_total'))],
  ]);
}

function routesOf(side: Side, samples: Samples): RouteFigures[] {
  const relay = samples.filter(({ name }) => name.startsWith('relay_'));
  return [...Map.groupBy(relay, ({ labels }) => labels['route'] ?? '')].map(([name, of]) => {
    const bytes = tallyBy(named(of, 'relay_bytes_total'), 'direction');
    return {
      side,
      route: name,
      active: soleValue(of, 'relay_active_connections') ?? 0,
      pending: soleValue(of, 'relay_pending_connections') ?? 0,
      accepted: soleValue(of, 'relay_accepted_connections_total') ?? 0,
      opened: tallyBy(named(of, 'relay_connections_total'), 'outcome')['opened'] ?? 0,
      errors: errorsOf(of),
      bytesUp: bytes['up'] ?? 0,
      bytesDown: bytes['down'] ?? 0,
    };
  });
}

function sessionsOf(samples: Samples): Figures['sessions'] {
  const open = soleValue(samples, 'front_sessions');
  if (open === undefined) return null;
  return {
    open,
    pending: soleValue(samples, 'front_pending_connections') ?? 0,
    evicted: soleValue(samples, 'front_evicted_total') ?? 0,
    refused: tallyBy(named(samples, 'front_refused_total'), 'reason'),
  };
}

function guardFiguresOf(samples: Samples): Figures['guard'] {
  const statements = named(samples, 'guard_statements_total');
  if (statements.length === 0) return null;
  const refusals = Map.groupBy(named(samples, 'guard_refusals_total'), ({ labels }) => labels['outcome'] ?? '');
  return {
    statements: tallyBy(statements, 'verdict'),
    refused: tallyBy(refusals.get('refused') ?? [], 'reason'),
    reported: tallyBy(refusals.get('reported') ?? [], 'reason'),
    values: tallyBy(named(samples, 'guard_values_total'), 'operation'),
    containersElsewhere: soleValue(samples, 'guard_containers_elsewhere_total') ?? 0,
    contradictedCells: soleValue(samples, 'guard_contradicted_cells_total') ?? 0,
  };
}

function programsOf(samples: Samples): Figures['programs'] {
  const ofChildren = samples.filter(({ labels }) => labels['child'] !== undefined);
  return [...Map.groupBy(ofChildren, ({ labels }) => labels['child'] ?? '')].map(([name, of]) => ({
    program: name,
    isHealthy: soleValue(of, 'child_healthy') === 1,
    restarts: soleValue(of, 'child_restarts_total') ?? 0,
    residentBytes: soleValue(of, 'child_resident_memory_bytes') ?? 0,
    alarms: tallyBy(named(of, 'alarms_total'), 'concern'),
  }));
}

/**
 * @param parent of this process' own relay
 * @param told what the enclave told last, while it can still be true
 */
export function figuresOf(parent: Samples, told: Samples): Figures {
  const uptime = soleValue(told, 'supervisor_uptime_seconds');
  const leaseAge = soleValue(told, 'lease_age_seconds');
  return {
    routes: [...routesOf('parent', parent), ...routesOf('enclave', told)],
    sessions: sessionsOf(told),
    guard: guardFiguresOf(told),
    programs: programsOf(told),
    leaseAgeMs: leaseAge === undefined ? null : leaseAge * MS_PER_SECOND,
    enclave:
      uptime === undefined
        ? null
        : {
            uptimeMs: uptime * MS_PER_SECOND,
            availableBytes: soleValue(told, 'machine_available_memory_bytes') ?? 0,
          },
  };
}
