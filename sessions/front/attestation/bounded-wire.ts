/**
 * A connection that may send only so many bytes, records of TLS and all. Without that a client of TLS 1.3 could ask for new keys without
 * end (empty-records.ts): OpenSSL answers whatever is read at once before anybody can look. It costs a stream between socket and TLS,
 * which sessions would pay for with every byte; here there are a handful of connections, of some hundred bytes each.
 */
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';

/** @param onTooMany called once, when more has come; nothing of that is passed on */
export function boundedWire(socket: Socket, maxBytes: number, onTooMany: () => void): Duplex {
  let left = maxBytes;
  // Whoever asks may close its side when it has asked.
  socket.allowHalfOpen = true;
  const wire = new Duplex({
    read: () => void socket.resume(),
    write: (chunk: Buffer, _encoding, done) => void socket.write(chunk, () => done()),
    final: (done) => {
      socket.end();
      done();
    },
    destroy: (error, done) => {
      socket.destroy();
      done(error);
    },
  });
  socket.on('data', (chunk: Buffer) => {
    const had = left;
    left -= chunk.length;
    if (left < 0) {
      socket.pause();
      if (had >= 0) onTooMany();
    } else if (!wire.push(chunk)) socket.pause();
  });
  socket.once('end', () => wire.push(null));
  socket.once('close', () => wire.destroy());
  return wire.on('error', () => undefined);
}
