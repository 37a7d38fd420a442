/** Whether the programs of the driver `qemu` are there. It needs neither KVM nor root. */
import type { Check } from '../check.ts';
import { failure, ok, skipped } from '../check.ts';

const INSTALL =
  'Install QEMU 9.2 or later for x86-64 with the machine `nitro-enclave`, and name it in `enclave.run.program`.';
const FIRMWARE = ['qboot.rom', 'linuxboot_dma.bin'];

export const qemuCheck: Check = {
  name: 'qemu',
  checked: 'QEMU with the machine nitro-enclave, and vhost-device-vsock',
  async examine(context) {
    const { run } = context.config.enclave;
    if (run?.driver !== 'qemu') return skipped('`enclave.run` does not use QEMU');
    const machines = await context.system.run(run.program, ['-machine', 'help'], context.signal);
    if (!machines) return failure(`there is no program ${run.program}`, INSTALL);
    if (!/^nitro-enclave\b/m.test(machines.stdout))
      return failure(`${run.program} has no machine nitro-enclave`, INSTALL);
    const missing = FIRMWARE.filter((name) => run.firmware && !context.system.status(`${run.firmware}/${name}`));
    if (missing.length > 0) {
      return failure(
        `${run.firmware} lacks ${missing.join(' and ')}`,
        'Name the folder of QEMU’s firmware in `enclave.run.firmware`.',
      );
    }
    const device = await context.system.run(run.vhostDeviceVsock, ['--version'], context.signal);
    if (device?.code === 0) return ok(`${run.program} and ${device.stdout.trim()}`);
    return failure(
      device ? `${run.vhostDeviceVsock} does not run` : `there is no program ${run.vhostDeviceVsock}`,
      'Install vhost-device-vsock 0.3 or later, or name it in `enclave.run.vhostDeviceVsock`.',
    );
  },
};
