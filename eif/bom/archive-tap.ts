/**
 * Reads an archive on its way into the image, so that the bill of materials lists what is really in it, in the one pass that
 * the build makes over its inputs.
 */
import { readCpio } from '../cpio/reader.ts';
import type { ByteSource } from '../format/writer.ts';
import type { BomEntry } from './cyclonedx.ts';

export interface TappedArchive {
  /** The same bytes; must be read to the end. */
  readonly pieces: ByteSource;
  /** Settles when `pieces` has been read. */
  readonly entries: Promise<readonly BomEntry[]>;
}

/** @param archive uncompressed */
export function tapArchive(archive: ByteSource): TappedArchive {
  const hand = new Handover();
  const entries = collect(hand);
  // Whoever reads the pieces gets the error; nobody may read the entries then.
  entries.catch(() => undefined);
  return { pieces: through(archive, hand, entries), entries };
}

/** Without what nobody asks for later: there may be a hundred thousand. */
async function collect(hand: Handover): Promise<readonly BomEntry[]> {
  const entries = readCpio(hand.pieces());
  return Array.fromAsync(entries, ({ name, mode, header: { size, uid, gid }, sha256 }) => {
    return { name, mode, size, uid, gid, sha256 };
  });
}

async function* through(archive: ByteSource, hand: Handover, entries: Promise<unknown>): AsyncGenerator<Uint8Array> {
  try {
    for await (const piece of archive) {
      await Promise.race([hand.give(piece), entries]);
      yield piece;
    }
    await Promise.race([hand.give(undefined), entries]);
    await entries;
  } finally {
    hand.end();
  }
}

/** One piece at a time from one side to the other; a piece is given when the other side has asked for the next one. */
class Handover {
  #offered = Promise.withResolvers<Uint8Array | undefined>();
  #taken = Promise.withResolvers<void>();
  #ended = false;

  /** Undefined: there is no more. Resolves when the piece is no longer needed. */
  give(piece: Uint8Array | undefined): Promise<void> {
    this.#offered.resolve(piece);
    return this.#taken.promise;
  }

  end(): void {
    this.#ended = true;
    this.#offered.resolve(undefined);
  }

  async *pieces(): AsyncGenerator<Uint8Array, void> {
    for (;;) {
      const piece = await this.#offered.promise;
      if (piece === undefined || this.#ended) return;
      yield piece;
      this.#offered = Promise.withResolvers();
      const taken = this.#taken;
      this.#taken = Promise.withResolvers();
      taken.resolve();
    }
  }
}
