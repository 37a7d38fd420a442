/**
 * Containers in cells that no statement calls protected: a database may have moved them there. They reach the application as they are
 * stored, and are counted; before that an engine sees them, so that it finds poison records wherever they stand in a result
 * (acra-server contract 3.5). However many there are, only few are with the engine at once, and none is left out.
 */
import { containersIn, MIN_ENVELOPE_BYTES, mayBeBare, mayHoldContainers } from '../../acra/container-search.ts';
import { HEADER_BYTES } from '../../postgres/messages.ts';

/** At once, of one result. */
const MAX_CONTAINERS = 128;
/** A longer one goes alone. */
const MAX_BYTES = 1024 * 1024;

export interface ElsewhereOptions {
  /** Undefined: nobody looks for poison records. Where it rejects, the client gets that instead of the rows. */
  readonly examine: ((containers: readonly Buffer[]) => Promise<void>) | undefined;
  readonly onFound: (containers: number) => void;
}

export class Elsewhere {
  readonly #options: ElsewhereOptions;

  constructor(options: ElsewhereOptions) {
    this.#options = options;
  }

  /** @param cells as they came: text or binary */
  async look(cells: Iterable<Buffer>): Promise<void> {
    const { examine, onFound } = this.#options;
    let group: Buffer[] = [];
    let [bytes, count] = [0, 0];
    for (const container of everyContainer(cells)) {
      const isFull = group.length === MAX_CONTAINERS || bytes + container.length > MAX_BYTES;
      if (isFull && group.length > 0) {
        await examine?.(group);
        [group, bytes] = [[], 0];
      }
      count += 1;
      bytes += container.length;
      if (examine) group.push(container);
    }
    if (count > 0) onFound(count);
    if (group.length > 0) await examine?.(group);
  }
}

function* everyContainer(cells: Iterable<Buffer>): Generator<Buffer> {
  for (const cell of cells) yield* containersIn(cell);
}

const COUNT_BYTES = 2;
const LENGTH_BYTES = 4;

/** The cells of whole DataRows that may hold one. A row that is cut off goes on as it is. */
export function* suspectCells(rows: readonly Buffer[]): Generator<Buffer> {
  let [bytes, longest] = [0, 0];
  for (const { length } of rows) {
    bytes += length;
    if (length > longest) longest = length;
  }
  if (longest < MIN_ENVELOPE_BYTES) return;
  const together = inOnePiece(rows, bytes);
  const isAny = !together || mayHoldContainers(together);
  for (const row of rows) {
    const end = row.length - LENGTH_BYTES;
    if (end < MIN_ENVELOPE_BYTES) continue;
    for (let at = HEADER_BYTES + COUNT_BYTES; at <= end; ) {
      const length = lengthAt(row, at);
      const start = at + LENGTH_BYTES;
      if (length >= MIN_ENVELOPE_BYTES && (isAny || mayBeBare(row, start))) yield row.subarray(start, start + length);
      at = start + length;
    }
  }
}

/** 0 for NULL. Faster than readInt32BE, of which there would be one for each cell of every result. */
function lengthAt(row: Buffer, at: number): number {
  const [a = 0, b = 0, c = 0, d = 0] = [row[at], row[at + 1], row[at + 2], row[at + 3]];
  return Math.max(0, (a << 24) | (b << 16) | (c << 8) | d);
}

/** Rows that came together lie behind one another in memory. @param bytes of all */
function inOnePiece(rows: readonly Buffer[], bytes: number): Buffer | undefined {
  const [first, last] = [rows[0], rows.at(-1)];
  if (!first || !last || first.buffer !== last.buffer) return undefined;
  const isWhole = last.byteOffset + last.length === first.byteOffset + bytes;
  return isWhole ? Buffer.from(first.buffer, first.byteOffset, bytes) : undefined;
}
