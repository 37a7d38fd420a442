/**
 * Everything for a test on a real enclave machine: database, KMS, IMDS, a measured folder, an image, and the parent's
 * daemon, started as an operator starts it (`acra-enclave run`). Gone when the test ends; a failed test prints the logs.
 */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { request } from 'undici';
import { stringify } from 'yaml';
import type { DemoCertificates } from '../../../cli/demo/certificates.ts';
import { makeCertificates } from '../../../cli/demo/certificates.ts';
import { DaemonProcess } from '../../../cli/demo/daemon-process.ts';
import type { YamlDocument } from '../../../cli/demo/enclave-folder.ts';
import { writeEnclaveFolder } from '../../../cli/demo/enclave-folder.ts';
import { untilHostStatus, untilServing } from '../../../cli/demo/host-status.ts';
import { type DemoOperator, makeOperators } from '../../../cli/demo/operators.ts';
import { startDemoPostgres } from '../../../cli/demo/postgres.ts';
import { guestSocket } from '../../../cli/qemu/machine-section.ts';
import type { RunningPostgres } from '../../../emulator/postgres/server.ts';
import type { HostStatus } from '../../../host-proxy/operator/host-status.ts';
import { systemClock } from '../../../runtime/clock.ts';
import type { TcpEndpoint } from '../../../wire/endpoint.ts';
import { parseEndpoint } from '../../../wire/endpoint.ts';
import { lastKernelWords, withoutKernelWords } from '../../support/console-reports.ts';
import { KeyParent } from '../../support/key-parent.ts';
import { untilChanged } from '../../support/watched-files.ts';
import { wholeLines } from '../../support/whole-lines.ts';
import type { EnclaveCloud, KeyPolicyChoices } from './cloud.ts';
import type { BuiltImage, ImageChanges } from './images.ts';
import { buildTestImage } from './images.ts';
import type { Signing } from './signing.ts';
import { target } from './target.ts';

const OPERATORS = ['anna', 'ben'];
const ENCRYPTION_CONTEXT = { purpose: 'acra-master-key', application: 'test' };
/** No step takes longer, not even under software emulation; a hang then shows as an error that names the state. */
const STEP_TIMEOUT_MS = 240_000;
export const step = () => AbortSignal.timeout(STEP_TIMEOUT_MS);

interface Parts {
  readonly certificates: DemoCertificates;
  readonly postgres: RunningPostgres;
  readonly cloud: EnclaveCloud;
  readonly keyArn: string;
  /** None where keys lie in the image. */
  readonly operators: readonly DemoOperator[];
  /** Where documents are signed by the image: of those that are built by default. */
  readonly signing: Signing | undefined;
}

interface StackChoices {
  /** parent: keys are made in the enclave, on request of operators, and documents are signed. Default: they lie in the image. */
  readonly keysSource?: 'parent';
}

export interface RunOptions {
  /** Sections of host-proxy.yaml that replace the usual ones. */
  readonly host?: YamlDocument;
  /** Merged into `enclave.run`. */
  readonly run?: YamlDocument;
}

/** What it needs of a test of tap. */
export interface Surroundings {
  teardown(undo: () => Promise<void>): unknown;
  passing(): boolean;
  comment(text: string): unknown;
}

export class EnclaveStack {
  readonly root: string;
  readonly parts: Parts;
  daemon: DaemonProcess | undefined;
  adminUrl = '';
  #images = 0;

  private constructor(root: string, parts: Parts) {
    this.root = root;
    this.parts = parts;
  }

  /** @param enclaveSettings sections of enclave.yaml, in place of the target's own */
  static async prepare(
    t: Surroundings,
    enclaveSettings: YamlDocument = {},
    { keysSource }: StackChoices = {},
  ): Promise<EnclaveStack> {
    const root = mkdtempSync(join(tmpdir(), 'ae-'));
    const cleanups = new AsyncDisposableStack();
    t.teardown(() => cleanups.disposeAsync());
    cleanups.defer(() => rmSync(root, { recursive: true, force: true, maxRetries: 3 }));
    const certificates = await makeCertificates();
    const signing = keysSource === 'parent' ? await target().prepareSigning(root) : undefined;
    const operators = keysSource === 'parent' ? makeOperators(join(root, 'operators'), OPERATORS) : [];
    const cloud = await target().startCloud(root, signing);
    cleanups.defer(() => cloud.stop());
    const postgres = await startDemoPostgres({ folder: join(root, 'pg'), tls: true, certificates, signal: step() });
    cleanups.defer(() => postgres.stop());
    const keyArn = await cloud.createKey();
    const stack = new EnclaveStack(root, { certificates, postgres, cloud, keyArn, operators, signing });
    cleanups.defer(() => stack.#stop(t));
    await stack.#writeEnclaveFolder(enclaveSettings);
    return stack;
  }

  get enclaveFolder(): string {
    return join(this.root, 'enclave');
  }

  /** The socket that stands for the guest's vsock device (QEMU only). */
  get guestPath(): string {
    return guestSocket({ folder: this.root });
  }

  /** Operators and the parent, where the parent keeps the keys. */
  get keys(): KeyParent {
    const { certificates, operators } = this.parts;
    const until: EnclaveStack['until'] = (wanted, signal) => this.until(wanted, signal);
    return new KeyParent({ runtimeFolder: join(this.root, 'host'), certificates, operators, until, step });
  }

  get configFile(): string {
    return join(this.root, 'host-proxy.yaml');
  }

  build(changes: ImageChanges = {}, enclaveFolder = this.enclaveFolder): Promise<BuiltImage> {
    this.#images += 1;
    const { signing } = this.parts;
    const usual = signing === undefined ? {} : { init: signing.init };
    return buildTestImage(enclaveFolder, join(this.root, `build-${this.#images}`), { ...usual, ...changes });
  }

  /** Only an enclave with this image's measurements may decrypt from now on. */
  allow(
    { pcrs }: Pick<BuiltImage, 'pcrs'>,
    { generations }: Pick<KeyPolicyChoices, 'generations'> = {},
  ): Promise<void> {
    const { cloud, keyArn, operators } = this.parts;
    const choices = { keysBornInEnclave: operators.length > 0, ...(generations && { generations }) };
    return cloud.putKeyPolicy(keyArn, pcrs, choices);
  }

  /** `acra-enclave run`; resolves when the routes are open and the machine is being started. */
  async run(image: BuiltImage, options: RunOptions = {}): Promise<DaemonProcess> {
    await this.writeConfig(image, options);
    return this.startDaemon('run');
  }

  /** With the configuration that was written last. */
  async startDaemon(
    command: 'run' | 'host-proxy',
    environment: Readonly<Record<string, string>> = {},
  ): Promise<DaemonProcess> {
    this.daemon = new DaemonProcess({
      name: `acra-enclave ${command}`,
      arguments: [command, '--config', this.configFile],
      logFile: join(this.root, 'run.log'),
      environment,
    });
    const { admin } = await this.daemon.untilEvent('host-proxy.started');
    const { host, port } = parseEndpoint(String(admin)) as TcpEndpoint;
    this.adminUrl = `http://${host}:${port}`;
    return this.daemon;
  }

  async writeConfig(image: BuiltImage, { host = {}, run = {} }: RunOptions = {}): Promise<void> {
    const { postgres, cloud } = this.parts;
    const enclave = await target().enclaveSection(image.path, this.root);
    const usual = {
      version: 1,
      enclave: { ...enclave, run: { ...(enclave['run'] as YamlDocument), ...run } },
      ingress: { listen: 'tcp://127.0.0.1:0' },
      admin: { listen: 'tcp://127.0.0.1:0' },
      runtimeFolder: join(this.root, 'host'),
      database: { connect: `tcp://${postgres.host}:${postgres.port}` },
      ...cloud.hostSettings,
    };
    mkdirSync(join(this.root, 'host'), { recursive: true, mode: 0o700 });
    writeFileSync(this.configFile, stringify({ ...usual, ...host }));
  }

  /** The usual beginning: build, allow, run, and wait until applications are served. */
  async serve(changes: ImageChanges = {}, options: RunOptions = {}): Promise<Serving> {
    const image = await this.build(changes);
    await this.allow(image);
    const startedMs = systemClock.monotonicMs();
    await this.run(image, options);
    const address = await this.untilServing();
    return { image, address, bootMs: systemClock.monotonicMs() - startedMs };
  }

  /** The address of the public port. */
  untilServing(): Promise<TcpEndpoint> {
    return untilServing(this.adminUrl, systemClock, step());
  }

  until(wanted: (status: HostStatus) => boolean, signal = step()): Promise<HostStatus> {
    return untilHostStatus(this.adminUrl, wanted, systemClock, signal);
  }

  /** Waits for a record of the enclave or the parent. */
  async untilRecord(wanted: (line: LogLine) => boolean, signal = step()): Promise<LogLine> {
    return untilChanged(join(this.root, 'run.log'), () => this.records().find(wanted), signal);
  }

  /** The enclave's own and the parent's records, oldest first. */
  records(): readonly LogLine[] {
    return wholeLines(join(this.root, 'run.log'))
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line) as LogLine);
  }

  /** Without what the kernel wrote in between. Empty where enclaves have no console (Nitro without debug mode). */
  console(): string {
    return withoutKernelWords(this.#serialConsole());
  }

  /** Of both daemons, in Prometheus' text form. */
  async metrics(): Promise<string> {
    return (await request(`${this.adminUrl}/metrics`)).body.text();
  }

  kernelWords(lines: number): readonly string[] {
    return lastKernelWords(this.#serialConsole(), lines);
  }

  #serialConsole(): string {
    const file = join(this.root, 'console.log');
    return existsSync(file) ? readFileSync(file, 'utf8') : '';
  }

  async #stop(t: Surroundings): Promise<void> {
    await this.daemon?.stop();
    if (t.passing() || this.daemon === undefined) return;
    t.comment(readFileSync(this.daemon.logFile, 'utf8').split('\n').slice(-60).join('\n'));
    t.comment(this.#serialConsole().split('\n').slice(-40).join('\n'));
  }

  async #writeEnclaveFolder(settings: YamlDocument): Promise<void> {
    const { cloud, certificates, keyArn, operators } = this.parts;
    await writeEnclaveFolder({
      folder: this.enclaveFolder,
      certificates,
      operators,
      kms: { ...cloud.operator, keyArn, encryptionContext: ENCRYPTION_CONTEXT },
      settings: { ...target().enclaveSettings, ...settings },
    });
  }
}

export interface Serving {
  readonly image: BuiltImage;
  readonly address: TcpEndpoint;
  /** From `acra-enclave run` to the first status that says serving. */
  readonly bootMs: number;
}

export interface LogLine extends Record<string, unknown> {
  readonly event: string;
  readonly source: 'host-proxy' | 'enclave';
  readonly fields?: Readonly<Record<string, unknown>>;
}
