/** Documents that only a browser can be harmed by, or that are large. */
import type { HostStatus } from '../../../host-proxy/operator/host-status.ts';
import { FULL } from '../../host-proxy/operator/support/statuses.ts';

/** Of markup, of an attribute, of a script, of a style, of an address, and text that turns the direction of others. */
export const HOSTILE = [
  '<img src=x onerror=alert(1)>',
  '"><script>alert(2)</script>',
  "' onmouseover='alert(3)",
  'javascript:alert(4)',
  '</td></table><iframe srcdoc="<script>alert(5)</script>">',
  '\u202eexe.cod $(alert(6)) {{7*7}} &lt;b&gt;',
].join(' ');

/** Every text of the document but those that its schema enumerates is hostile. */
export function withHostileTexts(status: HostStatus): HostStatus {
  const kept = new Set(['state', 'severity', 'life', 'mode', 'relations', 'side', 'stage', 'driver', 'certificate']);
  const replace = (value: unknown, name: string): unknown => {
    if (typeof value === 'string') return kept.has(name) ? value : `${HOSTILE} ${value}`;
    if (Array.isArray(value)) return value.map((each) => replace(each, name));
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(
      Object.entries(value).map(([key, each]) => [
        name === 'labels' || name === 'errors' ? `${HOSTILE} ${key}` : key,
        replace(each, key),
      ]),
    );
  };
  return { ...(replace(status, '') as HostStatus), release: status.release };
}

/** As on most days. */
export const CALM: HostStatus = {
  ...FULL,
  shedding: { active: false, sinceMs: null, total: 0 },
  certificates: FULL.certificates.map((each) => ({ ...each, endsMs: FULL.nowMs + 200 * 86_400_000, life: 'valid' })),
  guard: { mode: 'enforce', relations: 'listed', migrations: [] },
  identities: { known: 12, running: 2, listed: (FULL.identities?.listed ?? []).slice(0, 1) },
  figures: {
    ...FULL.figures,
    leaseAgeMs: 190_000,
    programs: FULL.figures.programs.map((each) => ({ ...each, isHealthy: true, restarts: 0, alarms: {} })),
  },
  alarms: [],
  keys: null,
  logs: { received: 48_112, dropped: 0 },
  machine: FULL.machine && { ...FULL.machine, debug: false, restarts: 0, lastEnd: null },
};

/** A large enclave. */
export function withIdentities(count: number): HostStatus {
  const listed = Array.from({ length: count }, (_each, index) => ({
    clientId: index.toString(16).padStart(128, '0'),
    state: 'serving' as const,
    sessions: index % 7,
    restarts: 0,
  }));
  const programs = listed.map(({ clientId }) => ({
    program: `acra-${clientId.slice(-12)}`,
    isHealthy: true,
    restarts: 0,
    residentBytes: 44_000_000,
    alarms: {},
  }));
  return { ...FULL, identities: { known: count, running: count, listed }, figures: { ...FULL.figures, programs } };
}
