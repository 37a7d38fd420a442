/** CancelRequest on a connection of its own, as libpq sends it where TLS is asked for: behind TLS, without a start-up packet. */
import { CANCEL_REQUEST_CODE } from '../../../postgres/cancel-request.ts';
import { happens, type LoadClient, secured, type Target } from './client.ts';

function requestOf({ cancelKey }: LoadClient): Buffer {
  const { processId = 0, key = Buffer.alloc(4) } = cancelKey ?? {};
  const packet = Buffer.alloc(12 + key.length);
  packet.writeUInt32BE(packet.length, 0);
  packet.writeUInt32BE(CANCEL_REQUEST_CODE, 4);
  packet.writeInt32BE(processId, 8);
  key.copy(packet, 12);
  return packet;
}

/** Longer than a request takes: a second one would meet the session's next statement. */
const BEFORE_NEXT_MS = 2_000;

/** Asks again until it was heard: the statement may not have begun yet. @param ended when the statement has */
export async function sendCancel(target: Target, client: LoadClient, ended: Promise<void>): Promise<void> {
  let isOver = false;
  const over = ended.finally(() => {
    isOver = true;
  });
  over.catch(() => undefined);
  while (!isOver) {
    const { socket } = await secured(target, target.certificate);
    if (await happens(socket, 'secureConnect')) socket.end(requestOf(client));
    await new Promise<void>((resolve) => (socket.closed ? resolve() : socket.once('close', () => resolve())));
    await Promise.race([over, new Promise((resolve) => setTimeout(resolve, BEFORE_NEXT_MS))]);
  }
  await over;
}
