/** The programs of the QEMU driver, built when they are not there yet. */
import type { VmTools } from '../../vm/tools/vm-tools.ts';
import { provideVmTools } from '../../vm/tools/vm-tools.ts';

const BUILD_MS = 1_800_000;
let tools: Promise<VmTools> | undefined;

export interface QemuTools {
  readonly program: string;
  readonly firmwareFolder: string | undefined;
  readonly vhostDeviceVsock: string;
}

export async function qemuTools(): Promise<QemuTools> {
  tools ??= provideVmTools({
    onProgress: (step) => process.stderr.write(`# ${step}\n`),
    signal: AbortSignal.timeout(BUILD_MS),
  });
  const { qemu, vhostDeviceVsock } = await tools;
  return { ...qemu, vhostDeviceVsock };
}
