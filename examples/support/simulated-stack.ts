/** The enclave as an ordinary process: emulated KMS, IMDS and security module, whose root the example publishes. */
import { X509Certificate } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { digestFiles } from '../../attestation/runtime/folder-digest.ts';
import { stateRuntime } from '../../attestation/runtime/state-runtime.ts';
import { type Cloud, startCloud } from '../../cli/demo/cloud.ts';
import { EnclavePair } from '../../cli/demo/enclave-pair.ts';
import { simulatedFolders } from '../../cli/simulated/folders.ts';
import { measureSimulatedEnclave } from '../../cli/simulated/measure.ts';
import { anyEnclaveSchema } from '../../config/any-enclave.ts';
import { loadConfig } from '../../config/load.ts';
import { loadOrCreateNsmRoot } from '../../emulator/nsm/root.ts';
import { RELEASE } from '../../runtime/release.ts';
import {
  type AppStack,
  type BuiltEnclave,
  CREDENTIAL_LIFETIME_MS,
  type Files,
  hostSections,
  type Sections,
  writeFolder,
} from './app-stack.ts';
import type { ExampleContext } from './example.ts';
import { type Server, VerifiedClient } from './verified-client.ts';

export class SimulatedStack implements AppStack {
  readonly cloud: Cloud;
  readonly #context: ExampleContext;
  readonly #rootDer: Buffer;

  private constructor(context: ExampleContext, cloud: Cloud, rootDer: Buffer) {
    this.#context = context;
    this.cloud = cloud;
    this.#rootDer = rootDer;
  }

  /** KMS and IMDS run; no enclave does. */
  static async prepare(context: ExampleContext): Promise<SimulatedStack> {
    const { root, cleanups } = context;
    const { rootDer } = await loadOrCreateNsmRoot(simulatedFolders(join(root, 'sim')).nsmFolder);
    const cloud = await startCloud({
      folder: join(root, 'cloud'),
      nsmTrust: { kind: 'signed', rootDer },
      credentialLifetimeMs: CREDENTIAL_LIFETIME_MS,
    });
    cleanups.defer(() => cloud.stop());
    return new SimulatedStack(context, cloud, rootDer);
  }

  async build(name: string, files: Files): Promise<BuiltEnclave> {
    const folder = writeFolder(this.#context, name, files);
    return { name, folder, pcrs: measureSimulatedEnclave(folder, undefined) };
  }

  async start({ name, folder }: BuiltEnclave, host: Sections): Promise<EnclavePair> {
    const { root, cleanups } = this.#context;
    const { imds, roleArn } = this.cloud;
    const pair = new EnclavePair({
      root: join(root, name),
      enclaveFolder: folder,
      nsmFolder: join(root, 'sim', 'nsm'),
      parent: { roleArn, instanceId: imds.instanceId },
      hostSettings: { ...hostSections(this.cloud), ...host },
      environment: {},
    });
    cleanups.defer(() => pair.stop());
    await pair.start();
    return pair;
  }

  async client(enclave: BuiltEnclave, server: Server): Promise<VerifiedClient> {
    return VerifiedClient.verify(await this.#publish(enclave), server, this.#context);
  }

  /** What a provider publishes, and the root of the emulated security module: files for `acra-enclave verify`. */
  async #publish({ folder, pcrs }: BuiltEnclave) {
    const config = loadConfig(anyEnclaveSchema, join(folder, 'enclave.yaml'));
    const { statement, pcr16 } = stateRuntime({ config, files: await digestFiles(folder), release: RELEASE });
    const Measurements = Object.fromEntries([...pcrs].map(([index, value]) => [`PCR${index}`, value.toString('hex')]));
    const { root } = this.#context;
    const files = { measurements: join(root, 'measurements.json'), trustRoot: join(root, 'emulated-root.pem') };
    const published = { Measurements, runtime: { statement, PCR16: pcr16.toString('hex') } };
    writeFileSync(files.measurements, `${JSON.stringify(published, null, 2)}\n`);
    writeFileSync(files.trustRoot, new X509Certificate(this.#rootDer).toString());
    return files;
  }
}
