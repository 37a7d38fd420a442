/**
 * How `acra-enclave run` is told to boot an image on QEMU's nitro-enclave machine: one way for the demo, the examples and the tests.
 * What is generous here is so because software emulation on a busy machine takes its time (docs/vm-tier.md).
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { VmTools } from './vm-tools.ts';

const CID = 16;
const CPU_COUNT = 2;
export const MACHINE_MEMORY_MIB = 2_048;
const READY_MS = 240_000;

/**
 * Sections of enclave.yaml. The stand-in for acra-server has one thread: emulated, it is deaf for long while it works on a large value.
 * The clock of such a machine loses time whenever QEMU is not scheduled.
 */
export const EMULATED_SETTINGS = { health: { probeTimeoutMs: 30_000, maxClockJumpMs: 3_600_000 } } as const;

export interface MachineFiles {
  readonly image: string;
  /** Gets the sockets and the console; short, because paths of sockets are. */
  readonly folder: string;
}

/** The socket that stands for the guest's vsock device. */
export function guestSocket({ folder }: Pick<MachineFiles, 'folder'>): string {
  return join(folder, 'vm', 'vsock');
}

/** The section `enclave` of host-proxy.yaml. */
export function machineSection(files: MachineFiles, { qemu, vhostDeviceVsock }: VmTools) {
  const { image, folder } = files;
  mkdirSync(join(folder, 'vm'), { recursive: true, mode: 0o700 });
  return {
    transport: 'vsock-uds',
    cid: CID,
    path: guestSocket(files),
    run: {
      driver: 'qemu',
      image,
      cpuCount: CPU_COUNT,
      memoryMiB: MACHINE_MEMORY_MIB,
      program: qemu.program,
      firmware: qemu.firmwareFolder,
      vhostDeviceVsock,
      readyMs: READY_MS,
      restart: { policy: 'never' },
      consoleFile: join(folder, 'console.log'),
    },
  };
}
