/** SHA-256 of what streams by, so that nothing has to be read a second time for its digest. */
import { createHash } from 'node:crypto';

export interface TappedDigest {
  /** The same pieces; to be read once, to the end. */
  readonly pieces: AsyncIterable<Buffer>;
  /** Hex; settles when `pieces` has been read. */
  readonly sha256: Promise<string>;
}

export function tapDigest(source: AsyncIterable<Buffer>): TappedDigest {
  const { promise: sha256, resolve } = Promise.withResolvers<string>();
  async function* pieces(): AsyncGenerator<Buffer, void> {
    const hash = createHash('sha256');
    for await (const piece of source) {
      hash.update(piece);
      yield piece;
    }
    resolve(hash.digest('hex'));
  }
  return { pieces: pieces(), sha256 };
}
