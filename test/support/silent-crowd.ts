/** Connections that say nothing, to a port of strangers on the loopback. */
import { once } from 'node:events';
import { createConnection, type Socket } from 'node:net';
import type { Test } from 'tap';

export interface SilentCrowd {
  /** The first of all, alone from its address. */
  readonly other: Socket;
  /** From one address, in the order in which they came. */
  readonly many: readonly [Socket, ...Socket[]];
}

/** @param count of all of them, at least 2 */
export async function silentCrowd(t: Test, port: number, count: number): Promise<SilentCrowd> {
  const silent = async (localAddress: string) => {
    const socket = createConnection({ port, host: '127.0.0.1', localAddress });
    t.teardown(() => void socket.destroy());
    await once(socket, 'connect');
    return socket;
  };
  const other = await silent('127.0.0.2');
  const many: [Socket, ...Socket[]] = [await silent('127.0.0.3')];
  while (1 + many.length < count) many.push(await silent('127.0.0.3'));
  return { other, many };
}
