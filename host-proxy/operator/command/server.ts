/**
 * The daemon's end of the command socket. Only the daemon's user and root can connect (folder 0700, socket 0600); nothing
 * of it is reachable over TCP. A reader that does not keep up is cut off instead of filling memory.
 */

import { rmSync } from 'node:fs';
import type { Server, Socket } from 'node:net';
import { createConnection, createServer } from 'node:net';
import { CodedError, describeError } from '../../../runtime/errors.ts';
import type { Service } from '../../../runtime/service.ts';
import { listenAt } from '../../../system/listen.ts';
import { HostProxyError } from '../../errors.ts';
import type { CommandReply, CommandRequest } from './protocol.ts';
import { MAX_REQUEST_BYTES, parseRequest } from './protocol.ts';

const SOCKET_UMASK = 0o177;
/** More than all lines that the daemon keeps. */
const MAX_UNREAD_BYTES = 16 * 1024 * 1024;
const REQUEST_TIMEOUT_MS = 5_000;

/** Answers with any number of replies; resolves with the last words. The signal aborts when the asker went away. */
export type CommandHandler = (
  request: CommandRequest,
  reply: (reply: CommandReply) => void,
  signal: AbortSignal,
) => Promise<string>;

export class CommandServer implements Service {
  readonly #path: string;
  readonly #handle: CommandHandler;
  readonly #server: Server;
  readonly #open = new Set<Socket>();
  /** Connections that have asked already. */
  readonly #answering = new Set<Socket>();

  constructor(path: string, handle: CommandHandler) {
    this.#path = path;
    this.#handle = handle;
    this.#server = createServer((socket) => this.#accept(socket));
  }

  /** @throws HostProxyError HOST_ALREADY_RUNNING, HOST_COMMAND_BIND */
  async start(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (await isAnswered(this.#path)) {
      throw new HostProxyError('HOST_ALREADY_RUNNING', `another daemon answers on ${this.#path}`);
    }
    rmSync(this.#path, { force: true });
    const failed = (cause: unknown) =>
      new HostProxyError('HOST_COMMAND_BIND', `cannot listen on ${this.#path}`, { cause });
    // The socket never has other permissions, not for a moment.
    const umask = process.umask(SOCKET_UMASK);
    const listening = listenAt(this.#server, { path: this.#path }, failed);
    process.umask(umask);
    await listening;
  }

  /** Lets every answer come to its end and be written; whoever has not asked yet is cut off. */
  async stop(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const socket of this.#open) {
      if (this.#answering.has(socket)) socket.setTimeout(REQUEST_TIMEOUT_MS, () => socket.destroy());
      else socket.destroy();
    }
    await closed;
  }

  #accept(socket: Socket): void {
    this.#open.add(socket);
    const gone = new AbortController();
    socket.once('close', () => {
      this.#open.delete(socket);
      this.#answering.delete(socket);
      gone.abort();
    });
    socket.on('error', () => socket.destroy());
    socket.setTimeout(REQUEST_TIMEOUT_MS, () => socket.destroy());
    let text = '';
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
      if (Buffer.byteLength(text) > MAX_REQUEST_BYTES) socket.destroy();
      const end = text.indexOf('\n');
      if (end === -1 || socket.destroyed) return;
      this.#answering.add(socket);
      socket.removeAllListeners('data').resume().setTimeout(0);
      this.#answer(text.slice(0, end), socket, gone.signal);
    });
  }

  #answer(line: string, socket: Socket, gone: AbortSignal): void {
    const reply = (message: CommandReply) => {
      if (socket.writable) socket.write(`${JSON.stringify(message)}\n`);
      if (socket.writableLength > MAX_UNREAD_BYTES) socket.destroy();
    };
    const answering = async () => this.#handle(parseRequest(line), reply, gone);
    answering()
      .then(
        (text) => reply({ type: 'done', text }),
        (error: unknown) => {
          const code = error instanceof CodedError ? error.code : 'HOST_COMMAND_BROKEN';
          reply({ type: 'error', code, message: describeError(error) });
        },
      )
      .finally(() => socket.end());
  }
}

function isAnswered(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ path });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
