/**
 * Makes ready what the virtual machine tests share, where people can watch and no test's deadline runs: vhost-device-vsock,
 * QEMU and the kernel. Prints where they are as shell assignments; progress goes to standard error.
 */
import { hostArchitecture, provideKernel } from '../../../cli/eif/provide-kernel.ts';
import { printError, printLine, progress } from '../../../cli/output.ts';
import { untilStopped } from '../../../cli/until-signal.ts';
import { recipeSchema } from '../../../eif/image/recipe.ts';
import { PROJECT, provideVmTools } from './vm-tools.ts';

const quoted = (value: string): string => `'${value.replaceAll("'", "'\\''")}'`;

async function prepare(signal: AbortSignal): Promise<void> {
  const { qemu, vhostDeviceVsock } = await provideVmTools({ onProgress: progress, signal });
  const kernel = await provideKernel(recipeSchema.parse({ version: 1 }), {
    architecture: hostArchitecture(),
    projectFolder: PROJECT,
    signal,
  });
  printLine(`QEMU_NITRO=${quoted(qemu.program)}`);
  printLine(`QEMU_NITRO_FIRMWARE=${quoted(qemu.firmwareFolder)}`);
  printLine(`VHOST_DEVICE_VSOCK=${quoted(vhostDeviceVsock)}`);
  printLine(`KERNEL=${quoted(kernel.path)}`);
}

try {
  await untilStopped(prepare);
} catch (error) {
  process.exitCode = 1;
  await printError(error, false);
}
