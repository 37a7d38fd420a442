/** Asks the running daemon over its private socket. */
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { createConnection } from 'node:net';
import { CodedError, errorCode } from '../../../runtime/errors.ts';
import { HostProxyError } from '../../errors.ts';
import type { CommandReply, CommandRequest } from './protocol.ts';
import { parseReply } from './protocol.ts';

/** @throws HostProxyError HOST_NOT_RUNNING, HOST_COMMAND_FORBIDDEN, HOST_COMMAND_BROKEN */
async function connect(path: string): Promise<Socket> {
  const socket = createConnection({ path });
  try {
    await once(socket, 'connect');
    return socket;
  } catch (cause) {
    const code = errorCode(cause);
    if (code === 'ENOENT' || code === 'ECONNREFUSED') {
      throw new HostProxyError('HOST_NOT_RUNNING', `nobody answers on ${path}`, { cause });
    }
    if (code === 'EACCES') throw new HostProxyError('HOST_COMMAND_FORBIDDEN', `${path} is not open to you`, { cause });
    throw new HostProxyError('HOST_COMMAND_BROKEN', `cannot ask on ${path}`, { cause });
  }
}

function parse(line: string): CommandReply {
  try {
    return parseReply(line);
  } catch (cause) {
    throw new HostProxyError('HOST_COMMAND_BROKEN', 'the daemon answered in an unknown form', { cause });
  }
}

/**
 * Node's readline would also cut at U+2028 and U+2029, which JSON leaves as they are. A connection that breaks ends the
 * lines; what the last one says tells whether the answer is whole.
 */
async function* linesOf(socket: Socket): AsyncGenerator<string> {
  let rest = '';
  try {
    for await (const chunk of socket.setEncoding('utf8')) {
      const lines = `${rest}${chunk}`.split('\n');
      rest = lines.pop() ?? '';
      yield* lines;
    }
  } catch {}
}

/**
 * Resolves with the daemon's last words, once it has closed the connection.
 * @param path of its command socket
 * @param signal ends the asking; the daemon is not stopped by it.
 * @throws HostProxyError HOST_…, or the CodedError that the daemon answered with, or the signal's reason.
 */
export async function askDaemon(
  path: string,
  request: CommandRequest,
  onReply: (reply: CommandReply) => void,
  signal: AbortSignal,
): Promise<string> {
  signal.throwIfAborted();
  const socket = await connect(path);
  const end = () => socket.destroy();
  signal.addEventListener('abort', end, { once: true });
  socket.on('error', end);
  try {
    socket.write(`${JSON.stringify(request)}\n`);
    let last: CommandReply | undefined;
    for await (const line of linesOf(socket)) {
      last = parse(line);
      onReply(last);
    }
    signal.throwIfAborted();
    if (last?.type === 'done') return last.text;
    if (last?.type === 'error') throw new CodedError(last.code, last.message);
    throw new HostProxyError('HOST_COMMAND_BROKEN', 'the daemon went away before it had answered');
  } finally {
    signal.removeEventListener('abort', end);
    socket.destroy();
  }
}
