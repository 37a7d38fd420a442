/** A fake nitro-cli in a folder of the test's own. */
import { chmodSync, copyFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Test as TapTest } from 'tap';
import { nitroCliRun } from '../../../../config/enclave-run.ts';
import { NitroCliDriver } from '../../../../host-proxy/machine/nitro-cli/driver.ts';
import type { Clock } from '../../../../runtime/clock.ts';
import { systemClock } from '../../../../runtime/clock.ts';
import { LineBuffer } from '../../../../system/lines/line-buffer.ts';
import { toCid } from '../../../../wire/brands.ts';
import { MemoryLogger } from '../../../support/memory-logger.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';

const SCRIPT = join(import.meta.dirname, 'fake-nitro-cli.cjs');
const ERRORS = 'nitro-cli-errors.cjs';
const IMAGE_BYTES = 3 * 1024 * 1024;

export class FakeNitro {
  readonly folder: string;
  readonly program: string;
  readonly image: string;
  readonly logger = new MemoryLogger();
  readonly console = new LineBuffer({ maxLines: 100, maxBytes: 100_000 });

  constructor(t: TapTest) {
    this.folder = temporaryFolder(t);
    this.program = join(this.folder, 'nitro-cli');
    this.image = join(this.folder, 'image.eif');
    copyFileSync(join(import.meta.dirname, ERRORS), join(this.folder, ERRORS));
    const lines = readFileSync(SCRIPT, 'utf8').split('\n');
    writeFileSync(this.program, [`#!${process.execPath}`, ...lines.slice(1)].join('\n'));
    chmodSync(this.program, 0o755);
    writeFileSync(this.image, Buffer.alloc(IMAGE_BYTES));
    t.teardown(() => {
      this.answer();
      for (const pid of this.owners()) this.kill(pid);
    });
  }

  /** What the next commands do; see the script. */
  behave(behaviour: object): void {
    writeFileSync(join(this.folder, 'behaviour.json'), JSON.stringify(behaviour));
  }

  /** Lets a slow describe-enclaves answer. */
  answer(): void {
    writeFileSync(join(this.folder, 'answer'), '');
  }

  driver(settings: Record<string, unknown> = {}, clock: Clock = systemClock): NitroCliDriver {
    const given = { driver: 'nitro-cli', image: this.image, program: this.program, memoryMiB: 64, ...settings };
    const { logger, console } = this;
    return new NitroCliDriver({ run: nitroCliRun.parse(given), cid: toCid(16), clock, logger, console });
  }

  /** The command lines so far, without those that only describe. */
  calls(): string[][] {
    return this.#allCalls().filter(([command]) => command !== 'describe-enclaves');
  }

  describes(): number {
    return this.#allCalls().filter(([command]) => command === 'describe-enclaves').length;
  }

  /** The slow commands that came to their end, in order. */
  finished(): string[] {
    return this.#lines('finished');
  }

  log(): string[] {
    return this.#lines('log');
  }

  /** The processes that own enclaves, dead ones too. */
  owners(): number[] {
    return this.#lines('owners').map(Number);
  }

  living(): number[] {
    return this.owners().filter((pid) => {
      const stat = existsSync(`/proc/${pid}/stat`) ? readFileSync(`/proc/${pid}/stat`, 'latin1') : ') Z';
      return stat.split(') ')[1]?.[0] !== 'Z';
    });
  }

  kill(pid: number): void {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // Gone already.
    }
  }

  #allCalls(): string[][] {
    return this.#lines('calls').map((line) => JSON.parse(line) as string[]);
  }

  /** Whole lines: the last one may be just being written. */
  #lines(name: string): string[] {
    const file = join(this.folder, name);
    return existsSync(file) ? readFileSync(file, 'utf8').split('\n').slice(0, -1) : [];
  }
}
