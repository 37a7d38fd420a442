/**
 * The whole product on one machine, part by part: PostgreSQL, KMS, IMDS, a measured folder, and enclaves with their
 * host-proxies as processes of their own. The demo, the integration tests and the benchmarks all stand on this.
 */
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import type { AcraProgram } from '../../acra/obtain/program.ts';
import { loadOrCreateNsmRoot } from '../../emulator/nsm/root.ts';
import type { PcrIndex } from '../../wire/brands.ts';
import { simulatedFolders } from '../simulated/folders.ts';
import { measureSimulatedEnclave } from '../simulated/measure.ts';
import type { Cloud } from './cloud.ts';
import type { EnclaveFolderOptions, YamlDocument } from './enclave-folder.ts';
import { writeEnclaveFolder } from './enclave-folder.ts';
import { EnclavePair } from './enclave-pair.ts';
import {
  ENCRYPTION_CONTEXT,
  type OutsideParts,
  operatorsKms,
  outsideSections,
  type PartsOptions,
  startParts,
} from './parts.ts';

export interface StackOptions extends Omit<PartsOptions, 'nsmTrust'> {
  readonly acraProgram: AcraProgram;
  /** For the daemons, e.g. ACRA_SERVER. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Merged into the sections of enclave.yaml. */
  readonly enclaveSettings?: YamlDocument;
  readonly guardList?: EnclaveFolderOptions['guardList'];
  /** Of the application's user; default: its password. */
  readonly databaseSecrets?: EnclaveFolderOptions['databaseSecrets'];
  /** parent: no keys are made; the enclave waits for a ceremony of the operators. Default: they lie in the image. */
  readonly keysSource?: 'parent';
  /** Names of those who may ask for keys; default: two. */
  readonly operators?: readonly string[];
  /** Sections of host-proxy.yaml that replace the usual ones. */
  readonly hostSettings?: YamlDocument;
}

const OPERATORS = ['anna', 'ben'];

export class Stack {
  readonly options: StackOptions;
  readonly parts: OutsideParts;
  readonly enclave: EnclavePair;
  readonly #pairs: EnclavePair[] = [];

  private constructor(options: StackOptions, parts: OutsideParts) {
    this.options = options;
    this.parts = parts;
    this.enclave = this.#pair(options.root, this.enclaveFolder);
  }

  /** Starts what lies outside the product and writes the measured folder; no daemon runs yet. */
  static async prepare(options: StackOptions): Promise<Stack> {
    const { root, keysSource, operators = OPERATORS } = options;
    const { rootDer } = await loadOrCreateNsmRoot(simulatedFolders(join(root, 'sim')).nsmFolder);
    await using started = new AsyncDisposableStack();
    const nsmTrust = { kind: 'signed', rootDer } as const;
    const names = keysSource === 'parent' ? operators : [];
    const parts = await startParts({ ...options, nsmTrust, operators: names }, started);
    const stack = new Stack(options, parts);
    await stack.#writeEnclaveFolder();
    started.move();
    return stack;
  }

  get enclaveFolder(): string {
    return join(this.options.root, 'enclave');
  }

  measure(enclaveFolder = this.enclaveFolder): ReadonlyMap<PcrIndex, Buffer> {
    return measureSimulatedEnclave(enclaveFolder, this.options.acraProgram);
  }

  /** Lets KMS decrypt for the enclave as it is measured now; returns the policy. */
  allowMeasuredEnclave({
    keysBornInEnclave = this.options.keysSource === 'parent',
  } = {}): ReturnType<Cloud['putKeyPolicy']> {
    const choices = { encryptionContext: ENCRYPTION_CONTEXT, keysBornInEnclave };
    return this.parts.cloud.putKeyPolicy(this.parts.keyArn, this.measure(), choices);
  }

  /** A second enclave from a copy of a measured folder, which the caller may alter before it starts. @param of default: the first one’s */
  copyEnclave(name: string, of = this.enclaveFolder): { readonly folder: string; readonly pair: EnclavePair } {
    const root = join(this.options.root, name);
    const folder = join(root, 'enclave');
    cpSync(of, folder, { recursive: true });
    return { folder, pair: this.#pair(root, folder) };
  }

  /** In the order of an operator: enclaves, host-proxies, then what they need. */
  async stop(): Promise<void> {
    for (const pair of this.#pairs) await pair.stop();
    await Promise.all([this.parts.cloud.stop(), this.parts.rds?.stop(), this.parts.postgres.stop()]);
  }

  #pair(root: string, enclaveFolder: string): EnclavePair {
    const { cloud } = this.parts;
    const pair = new EnclavePair({
      root,
      enclaveFolder,
      nsmFolder: join(this.options.root, 'sim', 'nsm'),
      parent: { roleArn: cloud.roleArn, instanceId: cloud.imds.instanceId },
      hostSettings: {
        ...outsideSections(this.parts),
        ...this.options.hostSettings,
      },
      environment: this.options.environment ?? {},
    });
    this.#pairs.push(pair);
    return pair;
  }

  async #writeEnclaveFolder(): Promise<void> {
    const { certificates, operators } = this.parts;
    const { enclaveSettings, databaseSecrets, guardList } = this.options;
    await writeEnclaveFolder({
      folder: this.enclaveFolder,
      simulated: { acraSocketPath: join(this.enclave.runtimeFolder, 'acra-server.sock') },
      certificates,
      operators,
      kms: operatorsKms(this.parts),
      ...(enclaveSettings === undefined ? {} : { settings: enclaveSettings }),
      ...(guardList === undefined ? {} : { guardList }),
      ...(databaseSecrets === undefined ? {} : { databaseSecrets }),
    });
  }
}
