/**
 * Makes ready what booting an image on this machine takes and what is built only once: vhost-device-vsock, QEMU and the kernel. To be
 * called where people can watch and no other deadline runs: the first time takes minutes.
 */
import type { Kernel } from '../../eif/kernel/kernel.ts';
import { hostArchitecture, provideKernel } from '../eif/provide-kernel.ts';
import { readRecipe } from '../eif/read-recipe.ts';
import { CliError } from '../errors.ts';
import { progress } from '../output.ts';
import { PROJECT, provideVmTools, type VmTools } from './vm-tools.ts';

export interface Machine {
  readonly tools: VmTools;
  readonly kernel: Kernel;
}

/** @throws CliError CLI_OPTION; VmToolError; KernelError; the signal's reason */
export async function provideMachine(signal: AbortSignal): Promise<Machine> {
  const architecture = hostArchitecture();
  if (architecture !== 'x86_64') {
    throw new CliError(
      'CLI_OPTION',
      'QEMU’s nitro-enclave machine has an x86-64 processor, and images are for the one that builds them',
      {
        found: architecture,
        allowed: 'the driver simulated here',
      },
    );
  }
  progress('looking for QEMU and the kernel (the first time on a machine they are built: about ten minutes) …');
  const tools = await provideVmTools({ onProgress: progress, signal });
  const kernel = await provideKernel(readRecipe(undefined), { architecture, projectFolder: PROJECT, signal });
  return { tools, kernel };
}
