/**
 * The enclave as a measured image on QEMU's nitro-enclave machine, built and run by the commands of an operator. QEMU's module signs nothing:
 * the emulated KMS believes it, and nobody outside can verify it (docs/vm-tier.md).
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import type { Cloud } from '../../cli/demo/cloud.ts';
import { DaemonProcess } from '../../cli/demo/daemon-process.ts';
import { untilHostStatus } from '../../cli/demo/host-status.ts';
import { progress } from '../../cli/output.ts';
import { systemClock } from '../../runtime/clock.ts';
import { startQemuCloud } from '../../test/enclave/support/qemu-cloud.ts';
import { qemuTools } from '../../test/enclave/support/qemu-tools.ts';
import { toPcrIndex } from '../../wire/brands.ts';
import { parseEndpoint, type TcpEndpoint } from '../../wire/endpoint.ts';
import {
  type AppStack,
  type BuiltEnclave,
  type Files,
  hostSections,
  type RunningEnclave,
  type Sections,
  writeFolder,
} from './app-stack.ts';
import { acraEnclave } from './command.ts';
import type { ExampleContext } from './example.ts';
import { type Server, VerifiedClient } from './verified-client.ts';

const CID = 16;
const MACHINE = { cpuCount: 2, memoryMiB: 2_048, readyMs: 240_000, restart: { policy: 'never' } };
/** Software emulation loses time whenever it is not scheduled. */
const IMAGE_YAML = { version: 1, memoryMiB: 2_048, compression: 'none' };

export class MachineStack implements AppStack {
  readonly cloud: Cloud;
  readonly #context: ExampleContext;
  /** An OCI layout. */
  readonly #application: string;

  private constructor(context: ExampleContext, cloud: Cloud, application: string) {
    this.#context = context;
    this.cloud = cloud;
    this.#application = application;
  }

  /** @param application an OCI layout with the file system of the programs */
  static async prepare(context: ExampleContext, application: string): Promise<MachineStack> {
    const cloud = await startQemuCloud(context.root);
    context.cleanups.defer(() => cloud.stop());
    return new MachineStack(context, cloud, application);
  }

  async build(name: string, files: Files): Promise<BuiltEnclave> {
    const { root, steps, signal } = this.#context;
    const folder = writeFolder(this.#context, name, files);
    const [recipe, output] = [join(root, name, 'image.yaml'), join(root, name, 'build')];
    writeFileSync(recipe, stringify(IMAGE_YAML));
    progress('building the image (the first one of a machine builds a kernel, which takes minutes) …');
    const words = ['eif', 'build', '--enclave', folder, '--image', `oci:${this.#application}`, '--recipe', recipe];
    const { code, output: said } = await acraEnclave([...words, '--output', output], signal);
    steps.check(code === 0, `acra-enclave ${words.slice(0, 2).join(' ')}: ${name}`, said);
    const { Measurements } = JSON.parse(readFileSync(join(output, 'measurements.json'), 'utf8'));
    const pcrs = [0, 1, 2].map(
      (index) => [toPcrIndex(index), Buffer.from(Measurements[`PCR${index}`], 'hex')] as const,
    );
    return { name, folder, pcrs: new Map(pcrs) };
  }

  async start({ name }: BuiltEnclave, host: Sections): Promise<RunningEnclave> {
    const { root, cleanups } = this.#context;
    const place = join(root, name);
    const { program, firmwareFolder: firmware, vhostDeviceVsock } = await qemuTools();
    for (const folder of ['vm', 'host']) mkdirSync(join(place, folder), { mode: 0o700 });
    const image = join(place, 'build', 'acra-enclave.eif');
    const run = { driver: 'qemu', image, program, firmware, vhostDeviceVsock, ...MACHINE };
    const config = join(place, 'host-proxy.yaml');
    const sections = {
      version: 1,
      ...hostSections(this.cloud),
      enclave: { transport: 'vsock-uds', cid: CID, path: join(place, 'vm', 'vsock'), run },
      admin: { listen: 'tcp://127.0.0.1:0' },
      runtimeFolder: join(place, 'host'),
      ...host,
    };
    writeFileSync(config, stringify(sections));
    const words = ['run', '--config', config];
    const daemon = new DaemonProcess({ name: 'acra-enclave run', arguments: words, logFile: join(place, 'run.log') });
    cleanups.defer(() => daemon.stop());
    const { admin } = await daemon.untilEvent('host-proxy.started');
    const { host: address, port } = parseEndpoint(String(admin)) as TcpEndpoint;
    return {
      until: (wanted, signal) => untilHostStatus(`http://${address}:${port}`, wanted, systemClock, signal),
      stop: () => daemon.stop(),
    };
  }

  client(_: BuiltEnclave, server: Server): Promise<VerifiedClient> {
    this.#context.steps.show(
      'QEMU’s security module signs nothing, so that nobody can verify it: the certificate is taken as it comes',
    );
    return VerifiedClient.asItComes(server, this.#context);
  }
}
