/** What the supervisor counts, as samples for the parent to publish (wire/metrics.ts). Numbers only: nothing here may carry content. */
import { readFileSync } from 'node:fs';
import type { RouteCounters } from '../relay/counters.ts';
import { relaySamples } from '../relay/samples.ts';
import { availableMemoryBytes, ownDescriptors, ownResidentBytes } from '../system/processes/own-resources.ts';
import type { CertificateEnd } from '../wire/certificate-end.ts';
import type { EnclaveMessage, IdentitiesMessage } from '../wire/control/messages.ts';
import { MAX_IDENTITIES, MAX_SAMPLES } from '../wire/control/messages.ts';
import type { MetricSample } from '../wire/metrics.ts';
import { sample } from '../wire/metrics.ts';
import type { ServedIdentities } from './workloads/workload.ts';

/** One supervised program. */
interface ReportedChild {
  /** Lower-case letters, digits and hyphens; another for each program. */
  readonly name: string;
  readonly pid: number | undefined;
  readonly restarts: number;
  /** How many alarms of each concern its log has raised. */
  readonly alarms: ReadonlyMap<string, number>;
  /** As last probed. */
  readonly isHealthy: boolean;
}

interface Reported {
  readonly relayCounters: Readonly<Record<string, RouteCounters>>;
  readonly children: readonly ReportedChild[];
  /** What counts itself. */
  readonly workload: readonly MetricSample[];
  readonly suppressedRecords: number;
  readonly certificateEnds: readonly CertificateEnd[];
  readonly uptimeMs: number;
}

const KIB = 1024;

/** Resident bytes of a process, from `/proc/<pid>/status` (VmRSS in KiB); 0 when it is gone. */
function residentBytes(pid: number | undefined): number {
  if (pid === undefined) return 0;
  try {
    const match = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
    return Number(match?.[1] ?? 0) * KIB;
  } catch {
    return 0;
  }
}

function descriptorSamples(): MetricSample[] {
  const { open, limit } = ownDescriptors();
  return [sample('supervisor_open_descriptors', {}, open), sample('supervisor_descriptor_limit', {}, limit)];
}

function childSamples({ name: child, pid, restarts, alarms, isHealthy }: ReportedChild): MetricSample[] {
  return [
    sample('child_resident_memory_bytes', { child }, residentBytes(pid)),
    sample('child_restarts_total', { child }, restarts),
    sample('child_healthy', { child }, isHealthy ? 1 : 0),
    ...[...alarms].map(([concern, count]) => sample('alarms_total', { child, concern }, count)),
  ];
}

/** Those with most sessions come first, since not more than MAX_IDENTITIES are listed. */
export function identitiesMessage({ known, running }: ServedIdentities): IdentitiesMessage {
  const listed = running.toSorted((a, b) => b.sessions - a.sessions).slice(0, MAX_IDENTITIES);
  return { type: 'identities', known, running: running.length, listed };
}

/** Whether somebody must hear of it, however many others are quiet. */
function needsAttention({ alarms, isHealthy, restarts }: ReportedChild): boolean {
  return !isHealthy || restarts > 0 || [...alarms.values()].some((count) => count > 0);
}

/**
 * Where there are more samples than a message takes, or more series than the parent publishes (MAX_SERIES), those of the last programs are left
 * out: they are quiet ones.
 */
export function metricsMessage(reported: Reported): Extract<EnclaveMessage, { type: 'metrics' }> {
  return {
    type: 'metrics',
    samples: [
      sample('machine_available_memory_bytes', {}, availableMemoryBytes()),
      sample('supervisor_resident_memory_bytes', {}, ownResidentBytes()),
      sample('supervisor_uptime_seconds', {}, reported.uptimeMs / 1000),
      sample('log_records_suppressed_total', {}, reported.suppressedRecords),
      ...descriptorSamples(),
      ...reported.workload,
      ...reported.certificateEnds.map(({ certificate, endsMs }) =>
        sample('certificate_expiry_timestamp_seconds', { certificate }, endsMs / 1000),
      ),
      ...relaySamples(reported.relayCounters),
      ...reported.children
        .toSorted((a, b) => Number(needsAttention(b)) - Number(needsAttention(a)))
        .flatMap(childSamples),
    ].slice(0, MAX_SAMPLES),
  };
}
