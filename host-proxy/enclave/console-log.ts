/** The enclave's serial console: its newest lines for who asks, and all of them in a file where one is configured. */
import { closeSync, openSync, writeSync } from 'node:fs';
import { HostProxyError } from '../errors.ts';
import { LineBuffer } from '../lines/line-buffer.ts';
import type { ConsoleSink } from './driver.ts';

const RECENT = { maxLines: 2_000, maxBytes: 2 * 1024 * 1024 };
const FILE_MODE = 0o640;

export class ConsoleLog implements ConsoleSink {
  readonly recent = new LineBuffer(RECENT);
  #fd: number | undefined;

  /** @throws HostProxyError HOST_LOG_FILE */
  constructor(file: string | undefined) {
    try {
      if (file !== undefined) this.#fd = openSync(file, 'a', FILE_MODE);
    } catch (cause) {
      throw new HostProxyError('HOST_LOG_FILE', `cannot append to ${file}`, {
        cause,
        action: 'Check `enclave.run.consoleFile` in host-proxy.yaml and its permissions.',
      });
    }
  }

  push(line: string): void {
    if (this.#fd !== undefined) writeSync(this.#fd, `${line}\n`);
    this.recent.push(line);
  }

  close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }
}
