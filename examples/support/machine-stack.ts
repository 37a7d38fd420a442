/**
 * The enclave as a measured image on QEMU's nitro-enclave machine, built and booted as the demo does. QEMU's module signs nothing: the
 * emulated KMS believes it, and nobody outside can verify it (docs/vm-tier.md).
 */
import { join } from 'node:path';
import { type Cloud, startCloud } from '../../cli/demo/cloud.ts';
import { EnclaveMachine } from '../../cli/demo/enclave-machine.ts';
import { buildMeasuredImage } from '../../cli/demo/measured-image.ts';
import { progress } from '../../cli/output.ts';
import type { Machine } from '../../cli/qemu/provide-machine.ts';
import { UNSIGNED_BY_QEMU } from '../../emulator/kms/nsm-trust.ts';
import {
  type AppStack,
  type BuiltEnclave,
  CREDENTIAL_LIFETIME_MS,
  type Files,
  hostSections,
  type RunningEnclave,
  type Sections,
  writeFolder,
} from './app-stack.ts';
import type { ExampleContext } from './example.ts';
import { type Server, VerifiedClient } from './verified-client.ts';

export class MachineStack implements AppStack {
  readonly cloud: Cloud;
  readonly #context: ExampleContext;
  readonly #machine: Machine;
  /** An OCI layout. */
  readonly #application: string;

  private constructor(context: ExampleContext, machine: Machine, cloud: Cloud, application: string) {
    this.#context = context;
    this.#machine = machine;
    this.cloud = cloud;
    this.#application = application;
  }

  /** @param application an OCI layout with the file system of the programs */
  static async prepare(context: ExampleContext, machine: Machine, application: string): Promise<MachineStack> {
    const cloud = await startCloud({
      folder: join(context.root, 'cloud'),
      nsmTrust: UNSIGNED_BY_QEMU,
      credentialLifetimeMs: CREDENTIAL_LIFETIME_MS,
    });
    context.cleanups.defer(() => cloud.stop());
    return new MachineStack(context, machine, cloud, application);
  }

  async build(name: string, files: Files): Promise<BuiltEnclave> {
    const { root, steps, signal } = this.#context;
    const folder = writeFolder(this.#context, name, files);
    progress('building the image …');
    const output = join(root, name, 'build');
    const application = `oci:${this.#application}`;
    const { path, pcrs } = await buildMeasuredImage({ folder, output, application, signal });
    const [pcr0] = pcrs.values();
    steps.show(`its image: ${path}, PCR0 ${pcr0?.toString('hex')}`);
    return { name, folder, pcrs, image: path };
  }

  async start({ name, image = '' }: BuiltEnclave, host: Sections): Promise<RunningEnclave> {
    const { root, cleanups } = this.#context;
    const machine = new EnclaveMachine({
      root: join(root, name),
      image,
      tools: this.#machine.tools,
      hostSettings: { ...hostSections(this.cloud), ...host },
    });
    cleanups.defer(() => machine.stop());
    await machine.start();
    return machine;
  }

  client(_: BuiltEnclave, server: Server): Promise<VerifiedClient> {
    this.#context.steps.show(
      'QEMU’s security module signs nothing, so that nobody can verify it: the certificate is taken as it comes',
    );
    return VerifiedClient.asItComes(server, this.#context);
  }
}
