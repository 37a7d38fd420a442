/** Whether the kernel driver of enclaves is loaded. Source: Linux, Documentation/virt/ne_overview.rst. */
import { failure, ok, onNitro } from '../check.ts';

export const driverCheck = onNitro({
  name: 'enclave-driver',
  checked: 'kernel driver nitro_enclaves',
  needsNoConfig: true,
  examine({ system }) {
    if (system.status('/sys/module/nitro_enclaves')) return ok('nitro_enclaves is loaded');
    return failure(
      'nitro_enclaves is not loaded',
      '`modprobe nitro_enclaves`, and keep it: `echo nitro_enclaves > /etc/modules-load.d/nitro_enclaves.conf`. ' +
        'The kernel has it from 5.10 on (x86-64) or 5.16 (arm64).',
    );
  },
});
