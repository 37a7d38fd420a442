/** Both ends of a stream without a network, and what to do with them. */
import { type Duplex, duplexPair } from 'node:stream';
import { setImmediate } from 'node:timers/promises';

export interface StreamPair {
  /** The one that the product reads. */
  readonly own: Duplex;
  /** The other side's. */
  readonly peer: Duplex;
}

export function streamPair(): StreamPair {
  const [own, peer] = duplexPair();
  for (const end of [own, peer]) end.on('error', () => undefined);
  return { own, peer };
}

/** Until whoever waits for what has been written has had it. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 4; turn++) await setImmediate();
}

/** In pieces that end where `cuts` say, each read before the next one comes. */
export async function writeInPieces(peer: Duplex, bytes: Buffer, cuts: readonly number[]): Promise<void> {
  const ends = [...new Set([...cuts.filter((cut) => cut < bytes.length), bytes.length])].toSorted((a, b) => a - b);
  for (const [index, end] of ends.entries()) {
    peer.write(bytes.subarray(ends[index - 1] ?? 0, end));
    await settled();
  }
}

/** What has come by now. */
export function readNow(stream: Duplex): Buffer {
  const chunks: Buffer[] = [];
  for (let chunk = stream.read(); chunk !== null; chunk = stream.read()) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** All bytes until the other side ends. */
export async function readToEnd(stream: Duplex): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}
