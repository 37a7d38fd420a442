/** All checks, in the order in which an operator would set things up. */
import type { Check } from './check.ts';
import { attestationCheck } from './checks/attestation.ts';
import { certificatesCheck } from './checks/certificates.ts';
import { clockCheck } from './checks/clock.ts';
import { cpusCheck } from './checks/cpus.ts';
import { databaseCheck } from './checks/database.ts';
import { deviceCheck } from './checks/device.ts';
import { driverCheck } from './checks/driver.ts';
import { imageCheck } from './checks/image.ts';
import { hopLimitCheck, imdsCheck, imdsV1Check, roleCheck } from './checks/imds.ts';
import { enclaveKernelCheck, kernelCheck } from './checks/kernel.ts';
import { keysCheck } from './checks/keys.ts';
import { kmsCheck } from './checks/kms.ts';
import { memoryCheck } from './checks/memory.ts';
import { namesCheck } from './checks/names.ts';
import { nitroCliCheck } from './checks/nitro-cli.ts';
import { qemuCheck } from './checks/qemu.ts';
import { rootFileSystemCheck } from './checks/root-file-system.ts';
import { routesCheck } from './checks/routes.ts';
import { serviceUserCheck } from './checks/service-user.ts';
import { vsockCheck } from './checks/vsock.ts';

export const CHECKS: readonly Check[] = [
  deviceCheck,
  driverCheck,
  cpusCheck,
  memoryCheck,
  nitroCliCheck,
  qemuCheck,
  vsockCheck,
  kernelCheck,
  serviceUserCheck,
  imageCheck,
  enclaveKernelCheck,
  rootFileSystemCheck,
  certificatesCheck,
  routesCheck,
  namesCheck,
  imdsCheck,
  imdsV1Check,
  hopLimitCheck,
  roleCheck,
  kmsCheck,
  databaseCheck,
  attestationCheck,
  keysCheck,
  clockCheck,
];
