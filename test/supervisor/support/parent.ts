/** The parent's end of the control connection: records what it hears and can wait for a message that fits. */
import { once } from 'node:events';
import type { Server, Socket } from 'node:net';
import { createServer } from 'node:net';
import { encodeFrame, FrameReader } from '../../../wire/control/frame.ts';
import type { EnclaveMessage } from '../../../wire/control/messages.ts';
import { parseEnclaveMessage } from '../../../wire/control/messages.ts';

export class Parent {
  readonly heard: EnclaveMessage[] = [];
  readonly server: Server;
  socket: Socket | undefined;
  #check: () => void = () => undefined;

  /** @param acknowledges whether it confirms log records at once, as host-proxy does */
  constructor(acknowledges = false) {
    this.server = createServer((socket) => {
      this.socket = socket;
      const frames = new FrameReader(1 << 20);
      socket.on('error', () => undefined);
      socket.on('data', (chunk: Buffer) => {
        for (const payload of frames.push(chunk)) {
          const message = parseEnclaveMessage(payload);
          this.heard.push(message);
          const seq = message.type === 'logs' ? message.records.at(-1)?.seq : undefined;
          if (acknowledges && seq !== undefined) socket.write(encodeFrame({ type: 'acknowledge', seq }));
        }
        this.#check();
      });
    });
  }

  async listen(path: string): Promise<void> {
    this.server.listen(path);
    await once(this.server, 'listening');
  }

  until<Found>(find: (heard: readonly EnclaveMessage[]) => Found | undefined): Promise<Found> {
    return new Promise((resolve) => {
      this.#check = () => {
        const found = find(this.heard);
        if (found !== undefined) resolve(found);
      };
      this.#check();
    });
  }

  async close(): Promise<void> {
    this.socket?.destroy();
    this.server.close();
    await once(this.server, 'close');
  }
}
