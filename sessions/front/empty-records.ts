/**
 * TLS records that say nothing. A client of TLS 1.3 may change its keys as often as it likes (KeyUpdate, RFC 8446 section 4.6.3), with a
 * certificate or without, and each time costs the front three derivations: one connection would keep it busy without a word. Nobody
 * tells of such records; they show in bytes only, those that came beside those that they said. Keys are changed once in some
 * 2^24 records (section 5.5), so that who keeps to that has no use for what is allowed here.
 */
import type { Clock } from '../../runtime/clock.ts';

/** How often is looked: what a connection can do meanwhile, it can do once. */
const INTERVAL_MS = 200;
/** On the wire for one that is said: a record that says one is 23 bytes in TLS 1.3, more in 1.2. */
const WIRE_BYTES_A_BYTE = 64;
/**
 * Beyond that, the handshake with them: a whole chain of certificates, or 1,200 changes of keys. Not from the end of the handshake on,
 * for what has come with its last message has been read by then.
 */
const MAX_EMPTY_BYTES = 32 * 1024;

/** Either side of a TLS connection's end. */
interface Counting {
  readonly bytesRead: number;
}

interface Watched {
  /** What comes, records and all. */
  readonly wire: Counting;
  /** What it says. */
  readonly said: Counting;
  readonly tooMany: () => void;
}

export class EmptyRecords {
  readonly #clock: Clock;
  readonly #watched = new Set<Watched>();
  /** There for as long as there is somebody to look at. */
  #looking: AbortController | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** @param tooMany is called once. @returns stops it */
  watch(wire: Counting, said: Counting, tooMany: () => void): () => void {
    const watched = { wire, said, tooMany };
    this.#watched.add(watched);
    if (!this.#looking) {
      this.#looking = new AbortController();
      void this.#look(this.#looking.signal);
    }
    return () => this.#leave(watched);
  }

  #leave(watched: Watched): void {
    this.#watched.delete(watched);
    if (this.#watched.size > 0) return;
    this.#looking?.abort();
    this.#looking = undefined;
  }

  async #look(signal: AbortSignal): Promise<void> {
    const pause = () =>
      this.#clock.sleep(INTERVAL_MS, signal).then(
        () => true,
        () => false,
      );
    while (await pause()) {
      for (const watched of [...this.#watched].filter(isOver)) {
        this.#leave(watched);
        watched.tooMany();
      }
    }
  }
}

function isOver({ wire, said }: Watched): boolean {
  return wire.bytesRead > MAX_EMPTY_BYTES + WIRE_BYTES_A_BYTE * said.bytesRead;
}
