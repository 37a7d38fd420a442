/** An enclave, simulated, with programs of a test in the place of an application, and the parent's daemon; gone when the test ends. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test as TapTest } from 'tap';
import { stringify } from 'yaml';
import { EnclavePair } from '../../../cli/demo/enclave-pair.ts';
import { simulatedFolders } from '../../../cli/simulated/folders.ts';
import { loadOrCreateNsmRoot } from '../../../emulator/nsm/root.ts';
import { type LogLine, logLines, step } from '../../support/stack.ts';
import { untilChanged } from '../../support/watched-files.ts';

/** In the instance's place, for PCR3 and PCR4; no KMS asks for them here. */
const PARENT = { roleArn: 'arn:aws:iam::111122223333:role/test', instanceId: 'i-0123456789abcdef0' };

/** Of the logs of a test that failed. */
const TOLD_LINES = 30;
const TOLD_CHARACTERS = 300;

type Sections = Readonly<Record<string, unknown>>;

export interface AppOptions {
  /** Of enclave.yaml, beside version, workload and name. */
  readonly enclave: Sections;
  /** Of host-proxy.yaml, beside what every pair has. */
  readonly host?: Sections;
}

export class AppPair {
  readonly pair: EnclavePair;
  readonly root: string;

  private constructor(root: string, pair: EnclavePair) {
    this.root = root;
    this.pair = pair;
  }

  /** Both daemons run; waits for nothing of the enclave. */
  static async start(t: TapTest, { enclave, host = {} }: AppOptions): Promise<AppPair> {
    const root = mkdtempSync(join(tmpdir(), 'afe-'));
    const enclaveFolder = join(root, 'enclave');
    mkdirSync(enclaveFolder);
    writeFileSync(
      join(enclaveFolder, 'enclave.yaml'),
      stringify({ version: 1, workload: 'app', name: 'test', ...enclave }),
    );
    const { nsmFolder } = simulatedFolders(join(root, 'sim'));
    await loadOrCreateNsmRoot(nsmFolder);
    const hostSettings = { workload: 'app', ingress: {}, ...host };
    const pair = new EnclavePair({ root, enclaveFolder, nsmFolder, parent: PARENT, hostSettings, environment: {} });
    const app = new AppPair(root, pair);
    t.teardown(() => app.#stop(t));
    await pair.startHostProxy();
    pair.startSupervisor();
    return app;
  }

  /** Until the enclave serves. */
  async ready(): Promise<void> {
    await this.pair.until(({ ready }) => ready, step());
  }

  /** What the enclave told, as the parent's daemon wrote it. */
  records(event: string): readonly LogLine[] {
    return logLines(this.pair, 'host-proxy').filter((line) => line.event === event);
  }

  untilRecord(event: string, wanted: (line: LogLine) => boolean): Promise<LogLine> {
    const file = this.pair.hostProxy?.logFile ?? '';
    return untilChanged(file, () => this.records(event).find(wanted), step());
  }

  async #stop(t: TapTest): Promise<void> {
    await this.pair.stop();
    if (!t.passing())
      for (const name of ['supervisor', 'host-proxy']) t.comment(tail(join(this.root, 'logs', `${name}.log`)));
    rmSync(this.root, { recursive: true, force: true, maxRetries: 3 });
  }
}

function tail(file: string): string {
  const lines = readFileSync(file, 'utf8').split('\n').slice(-TOLD_LINES);
  return lines.map((line) => line.slice(0, TOLD_CHARACTERS)).join('\n');
}

/** Of a record `program.output`. */
export function textOf(line: LogLine): string {
  return String((line['fields'] as Sections | undefined)?.['text']);
}
