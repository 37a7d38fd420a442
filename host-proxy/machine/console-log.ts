/** The enclave's serial console: its newest lines for who asks, and all of them in a file where one is configured. */

import { LineBuffer } from '../../system/lines/line-buffer.ts';
import { LineWriter } from '../../system/lines/line-writer.ts';
import { HostProxyError } from '../errors.ts';
import type { ConsoleSink } from './driver.ts';

const RECENT = { maxLines: 2_000, maxBytes: 2 * 1024 * 1024 };

export class ConsoleLog implements ConsoleSink {
  readonly recent = new LineBuffer(RECENT);
  readonly #writer: LineWriter | undefined;

  /** @throws HostProxyError HOST_LOG_FILE */
  constructor(file: string | undefined) {
    try {
      if (file !== undefined) this.#writer = new LineWriter({ file });
    } catch (cause) {
      throw new HostProxyError('HOST_LOG_FILE', `cannot append to ${file}`, {
        cause,
        action: 'Check `enclave.run.consoleFile` in host-proxy.yaml and its permissions.',
      });
    }
  }

  push(line: string): void {
    this.#writer?.write(line);
    this.recent.push(line);
  }

  /** Goes over to the file that the name stands for now. */
  reopen(): void {
    this.#writer?.reopen();
  }

  close(): void {
    this.#writer?.close();
  }
}
