/**
 * Processor time of each process on a statement's way: what else the machine does is not in it. Of the
 * client and the database with what their processes had that have ended.
 */
import type { Stack } from '../../cli/demo/stack.ts';
import { childPid } from '../../test/support/stack.ts';
import { cpuTimesOf, familyOf } from '../proc.ts';

export const PROCESSES = ['client', 'host-proxy', 'supervisor', 'front', 'guard', 'acra-server', 'database'] as const;
export type ProcessName = (typeof PROCESSES)[number];
/** What carries a session, beside acra-server and the two ends. */
export const OURS = ['host-proxy', 'supervisor', 'front', 'guard'] as const;
export type CpuUs = Readonly<Record<ProcessName, number>>;

/** It and its children, of which those that have ended are in its own times. */
function withChildrenUs(pid: number): number {
  const all = familyOf(pid).map(cpuTimesOf);
  return all.reduce((sum, { ownMs, reapedMs }) => sum + 1_000 * (ownMs + reapedMs), 0);
}

/** @param acraPid the one that is measured: of the enclave, or a bare one */
export function readCpu(stack: Stack, acraPid: number): CpuUs {
  const own = (pid = 0) => 1_000 * cpuTimesOf(pid).ownMs;
  const { hostProxy, supervisor } = stack.enclave;
  return {
    client: 1_000 * cpuTimesOf('self').reapedMs,
    'host-proxy': own(hostProxy?.pid),
    supervisor: own(supervisor?.pid),
    front: own(childPid(stack.enclave, 'front')),
    guard: own(childPid(stack.enclave, 'guard')),
    'acra-server': own(acraPid),
    database: withChildrenUs(stack.parts.postgres.pid),
  };
}

export function sinceUs(before: CpuUs, after: CpuUs): CpuUs {
  return Object.fromEntries(PROCESSES.map((name) => [name, after[name] - before[name]])) as Record<ProcessName, number>;
}
