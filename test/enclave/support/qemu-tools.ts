/** The programs of the QEMU driver, built when they are not there yet. */
import { provideVmTools, type VmTools } from '../../../cli/qemu/vm-tools.ts';

const BUILD_MS = 1_800_000;
let tools: Promise<VmTools> | undefined;

export function qemuTools(): Promise<VmTools> {
  tools ??= provideVmTools({
    onProgress: (step) => process.stderr.write(`# ${step}\n`),
    signal: AbortSignal.timeout(BUILD_MS),
  });
  return tools;
}
