/** What the supervisor counts, as flat samples for the parent to publish. Numbers only: nothing here may carry content. */
import { readFileSync } from 'node:fs';
import type { Relay } from '../relay/relay.ts';
import type { EnclaveMessage } from '../wire/control/messages.ts';
import type { AcraFleet, AcraMember } from './workloads/acra/fleet.ts';

/** What the machine could still give, from `/proc/meminfo` (MemAvailable in KiB). */
function availableBytes(): number {
  const match = /^MemAvailable:\s+(\d+) kB$/m.exec(readFileSync('/proc/meminfo', 'utf8'));
  return Number(match?.[1] ?? 0) * 1024;
}

/** Resident bytes of a process, from `/proc/<pid>/status` (VmRSS in KiB); 0 when it is gone. */
function residentBytes(pid: number | undefined): number {
  if (pid === undefined) return 0;
  try {
    const match = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
    return Number(match?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}

function sum(members: readonly AcraMember[], of: (member: AcraMember) => number): number {
  return members.reduce((total, member) => total + of(member), 0);
}

export function metricsMessage(deps: {
  readonly relay: Relay;
  readonly fleet: AcraFleet;
  readonly uptimeMs: number;
}): EnclaveMessage {
  const { members } = deps.fleet;
  const routes: Record<string, Record<string, number>> = {};
  for (const [label, counters] of Object.entries(deps.relay.counters())) routes[label] = { ...counters };
  return {
    type: 'metrics',
    samples: {
      machine_available_bytes: availableBytes(),
      supervisor_resident_bytes: process.memoryUsage.rss(),
      acra_server_resident_bytes: sum(members, ({ child }) => residentBytes(child.pid)),
      acra_server_restarts: sum(members, ({ child }) => child.restarts),
      acra_server_alarms: sum(members, ({ output }) =>
        [...output.alarms.values()].reduce((total, count) => total + count, 0),
      ),
      uptime_seconds: Math.round(deps.uptimeMs / 1000),
    },
    routes,
  };
}
