/** Collects a stream of pieces. Copies each, for sources reuse their buffers. */
import type { ByteSource } from '../../../eif/format/writer.ts';

export async function collect(source: ByteSource): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of source) pieces.push(Buffer.from(piece));
  return Buffer.concat(pieces);
}

/** The same bytes in pieces of this length. */
export function* cut(bytes: Uint8Array, length: number): Generator<Uint8Array> {
  for (let start = 0; start < bytes.length; start += length) yield bytes.subarray(start, start + length);
}
