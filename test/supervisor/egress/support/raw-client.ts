/** Speaks to the proxy as bytes. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** All that comes until the other side ends, or resets; this side stays open. */
export async function everything(socket: Socket): Promise<string> {
  const chunks: Buffer[] = [];
  socket.on('error', () => undefined);
  try {
    for await (const chunk of socket.iterator({ destroyOnReturn: false })) chunks.push(chunk as Buffer);
  } catch {
    // What had come counts.
  }
  return Buffer.concat(chunks).toString('latin1');
}

/** The same, and closes this side then. */
export async function rest(socket: Socket): Promise<string> {
  const text = await everything(socket);
  socket.destroy();
  return text;
}

export async function connectTo(port: number, host = '127.0.0.1'): Promise<Socket> {
  const socket = connect({ port, host, allowHalfOpen: true });
  await once(socket, 'connect');
  return socket;
}

/** Sends text, and reads until the proxy ends: requests that are answered say `Connection: close`. */
export async function say(port: number, text: string): Promise<string> {
  const socket = await connectTo(port);
  socket.on('error', () => undefined);
  socket.write(text);
  return rest(socket);
}

export interface TunnelAnswer {
  readonly status: number;
  readonly head: string;
  readonly socket: Socket;
}

/** CONNECT; what follows the head stays in the socket. */
export async function openTunnel(port: number, authority: string): Promise<TunnelAnswer> {
  const socket = await connectTo(port);
  socket.write(`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n\r\n`, 'latin1');
  const head = await headOf(socket);
  return { status: Number(head.split(' ')[1]), head, socket };
}

async function headOf(socket: Socket): Promise<string> {
  let bytes = Buffer.alloc(0);
  while (!socket.readableEnded) {
    const chunk: Buffer | null = socket.read();
    if (chunk === null) {
      await Promise.race([once(socket, 'readable'), once(socket, 'end')]);
      continue;
    }
    bytes = Buffer.concat([bytes, chunk]);
    const end = bytes.indexOf('\r\n\r\n');
    if (end === -1) continue;
    socket.unshift(bytes.subarray(end + 4));
    return bytes.subarray(0, end).toString('latin1');
  }
  return bytes.toString('latin1');
}
