/** An enclave machine with an application that has little more than Node, started as an operator starts it. Gone when the test ends. */
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Test as TapTest } from 'tap';
import { parse, stringify } from 'yaml';
import { DaemonProcess } from '../../../cli/demo/daemon-process.ts';
import { untilServing } from '../../../cli/demo/host-status.ts';
import { hostArchitecture } from '../../../cli/eif/provide-kernel.ts';
import { appEnclaveSchema } from '../../../config/app/app-enclave.ts';
import { APPLICATION_COMPONENT, appFolder } from '../../../eif/rootfs/app-folder.ts';
import type { RootfsFile } from '../../../eif/rootfs/content.ts';
import { nodeRuntime } from '../../../eif/rootfs/node-runtime.ts';
import { systemClock } from '../../../runtime/clock.ts';
import type { TcpEndpoint } from '../../../wire/endpoint.ts';
import { parseEndpoint } from '../../../wire/endpoint.ts';
import { PROJECT } from '../../project/imports.ts';
import { untilChanged } from '../../support/watched-files.ts';
import { wholeLines } from '../../support/whole-lines.ts';
import { type LogLine, step } from './enclave-stack.ts';
import type { BuiltImage } from './images.ts';
import { buildTestImage } from './images.ts';
import { target } from './target.ts';

const KOFFI = ['koffi/package.json', 'koffi/index.js', 'koffi/src/koffi/index.js', 'koffi/src/koffi/src/static.js'];

async function writeFile(root: string, { name, mode, source }: RootfsFile): Promise<void> {
  const path = join(root, name);
  mkdirSync(dirname(path), { recursive: true });
  if ('path' in source) writeFileSync(path, readFileSync(source.path), { mode });
  else if ('bytes' in source) writeFileSync(path, source.bytes, { mode });
  else {
    const pieces: Buffer[] = [];
    for await (const piece of source.pieces) pieces.push(Buffer.from(piece));
    writeFileSync(path, Buffer.concat(pieces), { mode });
  }
}

/** Node with its libraries where its loader looks for them, and the probe beside koffi. */
export async function writeApplication(root: string): Promise<void> {
  const { files } = await nodeRuntime({ architecture: hostArchitecture(), projectFolder: PROJECT, system: '/' });
  const moved = files.map((file) => ({ ...file, name: file.name.replace(/^acra-enclave\//, 'probe/') }));
  for (const file of moved) await writeFile(root, file);
  for (const name of KOFFI)
    cpSync(join(PROJECT, 'node_modules', name), join(root, 'probe/node_modules', name), { recursive: true });
  cpSync(join(PROJECT, 'test/enclave/images/app-probe.ts'), join(root, 'probe/probe.ts'));
  cpSync(join(PROJECT, 'test/enclave/images/kms-probe.ts'), join(root, 'probe/kms-probe.ts'));
  cpSync(join(PROJECT, 'test/enclave/images/vsock-probe.ts'), join(root, 'probe/vsock-probe.ts'));
  writeFileSync(join(root, 'probe/package.json'), '{"type":"module"}');
}

export interface AppMachineOptions {
  /** Sections of enclave.yaml beside version, workload and name. */
  readonly enclave: object;
  /** The same of host-proxy.yaml. */
  readonly host: object;
  /** Measured files beside enclave.yaml. */
  readonly files?: Readonly<Record<string, string>>;
  /** Source file of the program for PID 1, where it is another one than the product's. */
  readonly init?: string;
  /** Builds the image of a measured folder. Default: Node and the probe are the application. */
  readonly build?: (folder: string, outputFolder: string) => Promise<BuiltImage>;
  /** Once the image is measured, and nothing runs. */
  readonly beforeStart?: (image: BuiltImage) => Promise<void>;
}

async function buildProbe(folder: string, outputFolder: string, init: string | undefined): Promise<BuiltImage> {
  await writeApplication(join(folder, 'app'));
  const config = appEnclaveSchema.parse(parse(readFileSync(join(folder, 'enclave.yaml'), 'utf8')));
  const components = [{ key: APPLICATION_COMPONENT, type: 'application', name: 'probe', version: undefined }] as const;
  return buildTestImage(folder, outputFolder, {
    ...(init !== undefined && { init }),
    acraServer: undefined,
    application: { content: await appFolder(folder, config), components },
  });
}

export class AppMachine {
  readonly root: string;
  readonly daemon: DaemonProcess;
  readonly address: TcpEndpoint;
  readonly adminUrl: string;

  private constructor(root: string, daemon: DaemonProcess, adminUrl: string, address: TcpEndpoint) {
    this.root = root;
    this.adminUrl = adminUrl;
    this.daemon = daemon;
    this.address = address;
  }

  static async serve(
    t: TapTest,
    { enclave, host, files = {}, init, build, beforeStart }: AppMachineOptions,
  ): Promise<AppMachine> {
    const root = mkdtempSync(join(tmpdir(), 'ae-'));
    const cleanups = new AsyncDisposableStack();
    t.teardown(() => cleanups.disposeAsync());
    cleanups.defer(() => rmSync(root, { recursive: true, force: true, maxRetries: 3 }));
    const folder = join(root, 'enclave');
    mkdirSync(folder);
    writeFileSync(
      join(folder, 'enclave.yaml'),
      stringify({ version: 1, workload: 'app', name: 'probe', ...enclave }, { aliasDuplicateObjects: false }),
    );
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
    const output = join(root, 'build');
    const image = await (build?.(folder, output) ?? buildProbe(folder, output, init));
    await beforeStart?.(image);
    const configFile = join(root, 'host-proxy.yaml');
    const settings = { admin: { listen: 'tcp://127.0.0.1:0' }, runtimeFolder: join(root, 'host'), ...host };
    const machine = await target().enclaveSection(image.path, root);
    mkdirSync(join(root, 'host'), { mode: 0o700 });
    writeFileSync(configFile, stringify({ version: 1, workload: 'app', enclave: machine, ...settings }));
    const daemon = new DaemonProcess({
      name: 'acra-enclave run',
      arguments: ['run', '--config', configFile],
      logFile: join(root, 'run.log'),
    });
    cleanups.defer(async () => {
      await daemon.stop();
      if (!t.passing()) tell(t, root);
    });
    const { admin } = await daemon.untilEvent('host-proxy.started');
    const { host: name, port } = parseEndpoint(String(admin)) as TcpEndpoint;
    const adminUrl = `http://${name}:${port}`;
    return new AppMachine(root, daemon, adminUrl, await untilServing(adminUrl, systemClock, step()));
  }

  get records(): readonly LogLine[] {
    return wholeLines(join(this.root, 'run.log'))
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line) as LogLine);
  }

  untilRecord(wanted: (record: LogLine) => boolean): Promise<LogLine> {
    return untilChanged(join(this.root, 'run.log'), () => this.records.find(wanted), step());
  }

  /** Where the parent listens for a way in. */
  addressOf(ingress: string): TcpEndpoint {
    const opened = this.records.findLast(
      ({ event, ['route']: route }) => event === 'ingress.opened' && route === `ingress-${ingress}`,
    );
    return parseEndpoint(String(opened?.['address'])) as TcpEndpoint;
  }

  /** Whole lines of a program. */
  printed(program: string): readonly string[] {
    const records = this.records.filter(
      ({ event, fields }) => event === 'program.output' && fields?.['program'] === program,
    );
    return records.map(({ fields }) => String(fields?.['text']));
  }
}

function tell(t: TapTest, root: string): void {
  for (const name of ['run.log', 'console.log']) {
    const file = join(root, name);
    if (existsSync(file)) t.comment(readFileSync(file, 'utf8').split('\n').slice(-50).join('\n'));
  }
}
