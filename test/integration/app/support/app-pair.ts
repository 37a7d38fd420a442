/** An enclave with any application and the host-proxy of its parent, simulated on this machine and gone when the test ends. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test as TapTest } from 'tap';
import { stringify } from 'yaml';
import { EnclavePair } from '../../../../cli/demo/enclave-pair.ts';
import { simulatedFolders } from '../../../../cli/simulated/folders.ts';
import { logLines, step } from '../../../support/stack.ts';
import { untilChanged } from '../../../support/watched-files.ts';

export interface HostRecord {
  readonly event: string;
  /** When it was made, as the enclave or the daemon says. */
  readonly time: string;
  readonly source: string;
  readonly level: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

export interface AppOptions {
  /** Sections of enclave.yaml beside version, workload and name. */
  readonly enclave: object;
  /** The same of host-proxy.yaml. */
  readonly host?: object;
  readonly environment?: Readonly<Record<string, string>>;
  /** Of the measured folder, beside enclave.yaml. */
  readonly files?: Readonly<Record<string, string>>;
}

/** Node as a program of the application; tests run wherever it lies. */
export const script = (code: string) => [process.execPath, '-e', code];

export function appPair(t: TapTest, { enclave, host = {}, environment = {}, files = {} }: AppOptions): AppPair {
  const root = mkdtempSync(join(tmpdir(), 'ae-app-'));
  const enclaveFolder = join(root, 'enclave');
  mkdirSync(enclaveFolder);
  for (const [name, text] of Object.entries(files)) writeFileSync(join(enclaveFolder, name), text);
  writeFileSync(
    join(enclaveFolder, 'enclave.yaml'),
    stringify({ version: 1, workload: 'app', name: 'app', ...enclave }),
  );
  const { nsmFolder } = simulatedFolders(join(root, 'sim'));
  const pair = new AppPair({
    root,
    enclaveFolder,
    nsmFolder,
    parent: { roleArn: 'arn:aws:iam::111122223333:role/app', instanceId: 'i-0123456789abcdef0' },
    hostSettings: { workload: 'app', ingress: {}, ...host },
    environment,
  });
  t.teardown(async () => {
    await pair.stop();
    if (!t.passing()) for (const line of logLines(pair, 'host-proxy').slice(-40)) t.comment(JSON.stringify(line));
    rmSync(root, { recursive: true, force: true, maxRetries: 3 });
  });
  return pair;
}

export class AppPair extends EnclavePair {
  async serve(): Promise<void> {
    await this.startHostProxy();
    this.startSupervisor();
    await this.untilServing(step());
  }

  /** What the parent's log has of the enclave and of host-proxy, in the order in which it came. */
  get records(): readonly HostRecord[] {
    const lines = logLines(this, 'host-proxy') as unknown as readonly HostRecord[];
    return lines.map((line) => ({ ...line, fields: line.fields ?? {} }));
  }

  untilRecord(wanted: (record: HostRecord) => boolean): Promise<HostRecord> {
    return untilChanged(this.hostProxy?.logFile ?? '', () => this.records.find(wanted), step());
  }

  /** Lines of a program, long ones joined again. */
  printed(program: string, stream = 'stdout'): readonly string[] {
    const lines: string[] = [];
    let isOpen = false;
    for (const { event, fields } of this.records) {
      if (event !== 'program.output' || fields['program'] !== program || fields['stream'] !== stream) continue;
      const text = String(fields['text']);
      if (isOpen) lines.push(`${lines.pop() ?? ''}${text}`);
      else lines.push(text);
      isOpen = fields['isLast'] === false;
    }
    return lines;
  }
}

/** One that nobody listens on now. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}
