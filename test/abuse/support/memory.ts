/** What the daemons and programs of a stack take of the machine, from /proc (proc_pid_status(5)). */
import { readFileSync } from 'node:fs';
import type { Test } from 'tap';
import { clientIdFromCertificate } from '../../../acra/client-id.ts';
import type { EnclavePair } from '../../../cli/demo/enclave-pair.ts';
import { childPid, logLines } from '../../support/stack.ts';

const KIB = 1024;
const MIB = 1024 * KIB;

/** Bytes resident now; 0 for a process that is gone. */
function residentBytes(pid: number): number {
  try {
    return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1] ?? 0) * KIB;
  } catch {
    return 0;
  }
}

/** The pid of the program that serves one identity, as launched last. */
export function pidOfIdentity(pair: EnclavePair, kind: 'guard' | 'acra', certificatePem: string): number {
  const digits = clientIdFromCertificate(certificatePem, 'distinguished_name').slice(0, 12);
  const launches = logLines(pair, 'supervisor').filter(
    ({ event, child }) => event === 'child.launched' && child === `${kind}-${digits}`,
  );
  return Number(launches.at(-1)?.['pid'] ?? 0);
}

export type Residents = Readonly<Record<'supervisor' | 'host-proxy' | 'front' | 'guard', number>>;

/** @param certificatePem whose guard */
export function residents(pair: EnclavePair, certificatePem: string): Residents {
  return {
    supervisor: residentBytes(pair.supervisor?.pid ?? 0),
    'host-proxy': residentBytes(pair.hostProxy?.pid ?? 0),
    front: residentBytes(childPid(pair, 'front')),
    guard: residentBytes(pidOfIdentity(pair, 'guard', certificatePem)),
  };
}

/** So that somebody sees where memory goes before a bound is passed. */
function tellMemory(t: Test, when: string, all: Residents): void {
  const text = Object.entries(all).map(([name, bytes]) => `${name} ${Math.round(bytes / MIB)}`);
  t.comment(`resident MiB ${when}: ${text.join(', ')}`);
}

/** Bounds that stand far above what is usual, and far below what a leak of a flood would take. */
const MAX_RESIDENT: Residents = {
  supervisor: 320 * MIB,
  // 292 under 50,000 HTTP answers a minute.
  'host-proxy': 400 * MIB,
  front: 300 * MIB,
  guard: 1024 * MIB,
};

export function holdMemory(t: Test, when: string, all: Residents): void {
  tellMemory(t, when, all);
  for (const [name, bytes] of Object.entries(all)) {
    const allowed = MAX_RESIDENT[name as keyof Residents];
    t.ok(bytes > 0 && bytes < allowed, `${name}: ${Math.round(bytes / MIB)} of ${allowed / MIB} MiB ${when}`);
  }
}
