/** Processor time of each process on a statement's way, to the nanosecond: what else the machine does is not in it. */
import type { Stack } from '../../cli/demo/stack.ts';
import { childPid } from '../../test/support/stack.ts';
import { familyOf, threadsMs } from '../proc.ts';

export const PROCESSES = ['client', 'host-proxy', 'supervisor', 'front', 'guard', 'acra-server', 'database'] as const;
export type ProcessName = (typeof PROCESSES)[number];
/** What carries a session, beside acra-server and the two ends. */
export const OURS = ['host-proxy', 'supervisor', 'front', 'guard'] as const;
export type CpuUs = Readonly<Record<ProcessName, number>>;

/**
 * While sessions are there: what the processes of ended ones had is not in it.
 * @param acraPid the one that is measured: of the enclave, or a bare one. @param client that asks
 */
export function readCpu(stack: Stack, acraPid: number, client: number | 'self'): CpuUs {
  const own = (pid: number | 'self' = 0) => 1_000 * threadsMs(pid);
  const { hostProxy, supervisor } = stack.enclave;
  return {
    client: own(client),
    'host-proxy': own(hostProxy?.pid),
    supervisor: own(supervisor?.pid),
    front: own(childPid(stack.enclave, 'front')),
    guard: own(childPid(stack.enclave, 'guard')),
    'acra-server': own(acraPid),
    database: familyOf(stack.parts.postgres.pid).reduce((sum, pid) => sum + own(pid), 0),
  };
}

/** @param before undefined: nothing. @param count by which it is divided */
export function sinceUs(before: CpuUs | undefined, after: CpuUs, count = 1): CpuUs {
  const each = PROCESSES.map((name) => [name, (after[name] - (before?.[name] ?? 0)) / count]);
  return Object.fromEntries(each) as Record<ProcessName, number>;
}

export function sumUs(cpu: CpuUs, names: readonly ProcessName[] = PROCESSES): number {
  return names.reduce((sum, name) => sum + cpu[name], 0);
}
