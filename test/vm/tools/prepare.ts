/**
 * Makes ready what the virtual machine tests share, before any of their deadlines runs. Prints where it is as shell assignments; progress
 * goes to standard error.
 */
import { printError, printLine } from '../../../cli/output.ts';
import { provideMachine } from '../../../cli/qemu/provide-machine.ts';
import { untilStopped } from '../../../cli/until-signal.ts';

const quoted = (value: string): string => `'${value.replaceAll("'", "'\\''")}'`;

try {
  const { tools, kernel } = await untilStopped(provideMachine);
  printLine(`QEMU_NITRO=${quoted(tools.qemu.program)}`);
  printLine(`QEMU_NITRO_FIRMWARE=${quoted(tools.qemu.firmwareFolder)}`);
  printLine(`VHOST_DEVICE_VSOCK=${quoted(tools.vhostDeviceVsock)}`);
  printLine(`KERNEL=${quoted(kernel.path)}`);
} catch (error) {
  process.exitCode = 1;
  await printError(error, false);
}
