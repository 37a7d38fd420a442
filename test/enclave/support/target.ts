/**
 * Where an enclave test boots its image: QEMU's nitro-enclave machine with emulated KMS and IMDS, or a Nitro enclave of
 * this EC2 instance with AWS's own. The tests themselves do not know which. `ENCLAVE_TARGET` chooses; `make test-vm` and
 * `make test-ec2` set it.
 */
import type { YamlDocument } from '../../../cli/demo/enclave-folder.ts';
import { EMULATED_SETTINGS, machineSection } from '../../../cli/qemu/machine-section.ts';
import type { RunningEnclave } from '../../../host-proxy/machine/driver.ts';
import { awsCloud } from './aws-cloud.ts';
import type { EnclaveCloud } from './cloud.ts';
import { emulatedCloud } from './emulated-cloud.ts';
import { qemuTools } from './qemu-tools.ts';
import { prepareSigning, type Signing } from './signing.ts';

export interface Target {
  readonly name: 'qemu' | 'nitro';
  /** @param signing of the images that are to be believed; undefined: those of the product */
  startCloud(folder: string, signing: Signing | undefined): Promise<EnclaveCloud>;
  /** For tests in which an enclave verifies documents. Undefined where the machine's own module signs them. */
  prepareSigning(folder: string): Promise<Signing | undefined>;
  /** Ends the machine as a failure of power would: nothing in it is asked. */
  kill(machine: RunningEnclave): Promise<void>;
  /** Sections of enclave.yaml that tests have there unless they say otherwise. */
  readonly enclaveSettings: YamlDocument;
  /** The section `enclave` of host-proxy.yaml that runs this image. `folder` is short, for sockets lie in it. */
  enclaveSection(image: string, folder: string): Promise<Record<string, unknown>>;
}

const CID = 16;
/** Four vCPUs and 8 GiB are the instance's; an enclave takes half of the first and a quarter of the second. */
const CPU_COUNT = 2;
const MEMORY_MIB = 2048;
const RESTART = { policy: 'never' };
/** In the id of a machine. */
const QEMU_PROCESS = /\(QEMU, process (\d+)\)$/;

const qemu: Target = {
  name: 'qemu',
  startCloud: (folder, signing) => emulatedCloud(folder, signing?.trust),
  prepareSigning,
  async kill(machine) {
    process.kill(Number(QEMU_PROCESS.exec(machine.id)?.[1]), 'SIGKILL');
    await machine.ended;
  },
  enclaveSettings: EMULATED_SETTINGS,
  enclaveSection: async (image, folder) => machineSection({ image, folder }, await qemuTools()),
};

const nitro: Target = {
  name: 'nitro',
  startCloud: () => awsCloud(),
  prepareSigning: async () => undefined,
  kill: (machine) => machine.terminate(),
  enclaveSettings: {},
  enclaveSection: async (image) => ({
    transport: 'vsock',
    cid: CID,
    run: { driver: 'nitro-cli', image, cpuCount: CPU_COUNT, memoryMiB: MEMORY_MIB, restart: RESTART },
  }),
};

/** @throws Error when ENCLAVE_TARGET names none */
export function target(): Target {
  const name = process.env['ENCLAVE_TARGET'] ?? 'qemu';
  if (name === 'qemu') return qemu;
  if (name === 'nitro') return nitro;
  throw new Error(`ENCLAVE_TARGET is ${name}; there are qemu and nitro`);
}
