/**
 * A program of an application that tests how vsock carries what is hard on it: it writes many short rows, each by itself, keeps silent and
 * reads nothing, or writes for ever. The first byte of a connection says which.
 */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';

const PORT = 7000;
const PIECE = Buffer.alloc(64 * 1024, 'x');

/** Rows that are alike nowhere, of 100 and of 200 bytes in turn. */
function row(index: number): Buffer {
  return Buffer.alloc(index % 2 === 0 ? 100 : 200, `${index}:${(index * 2_654_435_761) % 4_294_967_296};`);
}

/** Each row is a write of its own, as fast as they are taken; then their hash, and the end. */
async function writeRows(socket: Socket, count: number): Promise<void> {
  const hash = createHash('sha256');
  for (let index = 0; index < count; index++) {
    const bytes = row(index);
    hash.update(bytes);
    if (!socket.write(bytes)) await once(socket, 'drain');
    else await new Promise(setImmediate);
  }
  socket.end(hash.digest('hex'));
}

/** The same the other way: what comes is hashed, with much else to do between two reads. */
async function takeSlowly(socket: Socket, length: number): Promise<void> {
  const hash = createHash('sha256');
  let left = length;
  for await (const bytes of socket.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    hash.update(bytes);
    left -= bytes.length;
    if (left <= 0) break;
    for (let turn = 0; turn < 2000; turn++) await new Promise(setImmediate);
  }
  socket.end(hash.digest('hex'));
}

async function writeForEver(socket: Socket): Promise<void> {
  while (!socket.destroyed)
    if (!socket.write(PIECE)) await Promise.race([once(socket, 'drain'), once(socket, 'close')]);
}

function serve(socket: Socket): void {
  socket.on('error', () => socket.destroy());
  socket.once('readable', () => {
    const [asked = '', argument = '0'] = String(socket.read(16) ?? '')
      .trim()
      .split(' ');
    if (asked === 'rows') void writeRows(socket, Number(argument)).catch(() => socket.destroy());
    else if (asked === 'take') void takeSlowly(socket, Number(argument)).catch(() => socket.destroy());
    else if (asked === 'flood') void writeForEver(socket).catch(() => socket.destroy());
    else if (asked === 'echo') socket.end(`echo ${argument}`);
    // `deaf`: nothing is read any more.
  });
}

createServer({ noDelay: true, highWaterMark: 1024 }, serve).listen(PORT, '127.0.0.1', () => console.log('listening'));
process.on('SIGTERM', () => process.exit(0));
