/**
 * The whole product on one machine, part by part: PostgreSQL, KMS, IMDS, a measured folder, and enclaves with their
 * host-proxies as processes of their own. The demo, the integration tests and the benchmarks all stand on this.
 */
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import type { AcraProgram } from '../../acra/obtain/program.ts';
import { loadOrCreateNsmRoot } from '../../emulator/nsm/root.ts';
import type { RunningPostgres } from '../../emulator/postgres/server.ts';
import type { PcrIndex } from '../../wire/brands.ts';
import { simulatedFolders } from '../simulated/folders.ts';
import { measureSimulatedEnclave } from '../simulated/measure.ts';
import type { ClientFiles, DemoCertificates } from './certificates.ts';
import { makeCertificates, writeClientFiles } from './certificates.ts';
import type { Cloud } from './cloud.ts';
import { REGION, startCloud } from './cloud.ts';
import type { EnclaveFolderOptions, YamlDocument } from './enclave-folder.ts';
import { writeEnclaveFolder } from './enclave-folder.ts';
import { EnclavePair } from './enclave-pair.ts';
import { type DemoOperator, makeOperators } from './operators.ts';
import { startDemoPostgres } from './postgres.ts';

export interface StackOptions {
  /** Everything that the stack writes lies here; short, because unix sockets lie here too. */
  readonly root: string;
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
  readonly databaseTls?: boolean;
  /** Of databases (emulator/postgres/template.ts). */
  readonly databaseTemplates?: string;
  /** Another version of PostgreSQL (emulator/postgres/options.ts). */
  readonly databasePackage?: string | undefined;
  /** Common names of further identities, beside the application's. */
  readonly otherClients?: readonly string[];
  readonly credentialLifetimeMs?: number;
  readonly signal: AbortSignal;
}

const ENCRYPTION_CONTEXT = { purpose: 'acra-master-key', application: 'demo' };
const CREDENTIAL_LIFETIME_MS = 3600 * 1000;
const OPERATORS = ['anna', 'ben'];

interface StackParts {
  readonly certificates: DemoCertificates;
  readonly clientFiles: ClientFiles;
  readonly cloud: Cloud;
  readonly postgres: RunningPostgres;
  readonly keyArn: string;
  /** None where keys lie in the image. */
  readonly operators: readonly DemoOperator[];
}

export class Stack {
  readonly options: StackOptions;
  readonly parts: StackParts;
  readonly enclave: EnclavePair;
  readonly #pairs: EnclavePair[] = [];

  private constructor(options: StackOptions, parts: StackParts) {
    this.options = options;
    this.parts = parts;
    this.enclave = this.#pair(options.root, this.enclaveFolder);
  }

  /** Starts what lies outside the product and writes the measured folder; no daemon runs yet. */
  static async prepare(options: StackOptions): Promise<Stack> {
    const { root, signal } = options;
    const certificates = await makeCertificates(options.otherClients);
    const { rootDer } = await loadOrCreateNsmRoot(simulatedFolders(join(root, 'sim')).nsmFolder);
    await using started = new AsyncDisposableStack();
    const cloud = await startCloud({
      folder: join(root, 'cloud'),
      nsmTrust: { kind: 'signed', rootDer },
      credentialLifetimeMs: options.credentialLifetimeMs ?? CREDENTIAL_LIFETIME_MS,
    });
    started.defer(() => cloud.stop());
    const tls = options.databaseTls ?? true;
    const postgres = await startDemoPostgres({
      folder: join(root, 'pg'),
      tls,
      certificates,
      templates: options.databaseTemplates,
      packageFolder: options.databasePackage,
      signal,
    });
    started.defer(() => postgres.stop());
    const clientFiles = writeClientFiles(join(root, 'client'), certificates);
    const keyArn = await cloud.createKey();
    const names = options.keysSource === 'parent' ? (options.operators ?? OPERATORS) : [];
    const operators = makeOperators(join(root, 'operators'), names);
    const stack = new Stack(options, { certificates, clientFiles, cloud, postgres, keyArn, operators });
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
    await Promise.all([this.parts.cloud.stop(), this.parts.postgres.stop()]);
  }

  #pair(root: string, enclaveFolder: string): EnclavePair {
    const { postgres, cloud } = this.parts;
    const pair = new EnclavePair({
      root,
      enclaveFolder,
      nsmFolder: join(this.options.root, 'sim', 'nsm'),
      parent: { roleArn: cloud.roleArn, instanceId: cloud.imds.instanceId },
      hostSettings: {
        database: { connect: `tcp://${postgres.host}:${postgres.port}` },
        kms: { connect: `tcp://${cloud.kms.host}:${cloud.kms.port}` },
        imds: { connect: `tcp://${cloud.imds.host}:${cloud.imds.port}` },
        ...this.options.hostSettings,
      },
      environment: this.options.environment ?? {},
    });
    this.#pairs.push(pair);
    return pair;
  }

  async #writeEnclaveFolder(): Promise<void> {
    const { cloud, certificates, keyArn, operators } = this.parts;
    const { enclaveSettings, databaseSecrets, guardList } = this.options;
    const { accessKeyId, secretAccessKey } = cloud.kms.adminCredentials;
    await writeEnclaveFolder({
      folder: this.enclaveFolder,
      simulated: { acraSocketPath: join(this.enclave.runtimeFolder, 'acra-server.sock') },
      certificates,
      operators,
      kms: {
        region: REGION,
        keyArn,
        encryptionContext: ENCRYPTION_CONTEXT,
        endpoint: cloud.kms.url,
        caPem: cloud.kms.caPem,
        credentials: { accessKeyId, secretAccessKey },
      },
      ...(enclaveSettings === undefined ? {} : { settings: enclaveSettings }),
      ...(guardList === undefined ? {} : { guardList }),
      ...(databaseSecrets === undefined ? {} : { databaseSecrets }),
    });
  }
}
