/** Resident memory of each program of a running enclave and its host-proxy. */
import type { Stack } from '../../cli/demo/stack.ts';
import { childPid } from '../../test/support/stack.ts';
import { memoryOf } from '../proc.ts';

/** MiB by program; the simulated supervisor holds the emulated security module too. */
export type Memory = Readonly<Record<string, number>>;

export function readMemory({ enclave }: Stack): Memory {
  const mib = (pid = 0) => memoryOf(pid, 'VmRSS') / 2 ** 20;
  const { supervisor, hostProxy } = enclave;
  return {
    supervisor: mib(supervisor?.pid),
    front: mib(childPid(enclave, 'front')),
    guard: mib(childPid(enclave, 'guard')),
    'acra-server': mib(childPid(enclave, 'acra')),
    'host-proxy': mib(hostProxy?.pid),
  };
}
