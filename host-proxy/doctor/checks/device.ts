/**
 * Whether this machine can run enclaves at all, and whether this user may.
 * Sources: AWS Nitro Enclaves user guide, "Requirements"; CloudFormation, AWS::EC2::Instance EnclaveOptions (a change needs
 * a new instance); nitro-cli's udev rule (group ne, mode 0660).
 */
import type { CheckContext, Finding } from '../check.ts';
import { failure, ok, onNitro } from '../check.ts';

const DEVICE = '/dev/nitro_enclaves';
const DMI = '/sys/devices/virtual/dmi/id';

function whyAbsent({ system }: CheckContext): Finding {
  const vendor = system.readText(`${DMI}/sys_vendor`)?.trim();
  const product = system.readText(`${DMI}/product_name`)?.trim();
  if (vendor !== 'Amazon EC2') {
    return failure(
      `no ${DEVICE}; this is not an EC2 instance (${vendor ?? 'vendor unknown'})`,
      'Run it on an EC2 instance, or use the driver qemu on this machine (`enclave.transport: vsock-uds`).',
    );
  }
  return failure(
    `no ${DEVICE} on this EC2 instance (${product ?? 'type unknown'})`,
    'If the driver below is loaded, the instance was not launched with enclaves: launch a new one with ' +
      '`--enclave-options Enabled=true` (it cannot be switched on later), of a Nitro type with 4 vCPUs or more ' +
      '(2 cores on Graviton), not bare metal; c6a.xlarge is enough.',
  );
}

export const deviceCheck = onNitro({
  name: 'enclave-device',
  checked: 'enclave support of the instance',
  needsNoConfig: true,
  examine(context) {
    const status = context.system.status(DEVICE);
    if (!status) return whyAbsent(context);
    if (status.readable && status.writable) return ok(`${DEVICE} can be opened`);
    return failure(
      `${DEVICE} is there, but this user may not open it`,
      'Run the doctor as root or as the service: `sudo -u acra-enclave acra-enclave doctor`. If that says the same: ' +
        '`usermod -aG ne acra-enclave`, and `chgrp ne /dev/nitro_enclaves; chmod 660 /dev/nitro_enclaves`.',
    );
  },
});
