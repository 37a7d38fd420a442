/**
 * Statements that the library is handed whole, as it allows to be done (`Submittable`): those that send a long value from where it is, slice
 * by slice, and one that does nothing but to put LongCells before the library's parser. PostgreSQL 18, "Extended Query".
 */
import type pg from 'pg';
import { bindParts } from '../../postgres/bind-parts.ts';
import { LongCells } from './long-cells.ts';
import { letGo } from './small-memory.ts';

const SLICE_BYTES = 256 * 1024;
type Value = string | null | Buffer;

/** Short parts together, long ones in slices that nothing is copied for. */
function slicesOf(parts: readonly Buffer[]): readonly Buffer[] {
  const slices: Buffer[] = [];
  let short: Buffer[] = [];
  for (const part of parts) {
    if (part.length <= SLICE_BYTES) {
      short.push(part);
      continue;
    }
    slices.push(Buffer.concat(short));
    short = [];
    for (let at = 0; at < part.length; at += SLICE_BYTES) slices.push(part.subarray(at, at + SLICE_BYTES));
  }
  return [...slices, Buffer.concat(short)];
}

type Seen = 'value' | 'null' | undefined;

/** The library calls it by the names of its own queries (pg 8, lib/query.js). */
abstract class Handed {
  readonly #answer = Promise.withResolvers<Seen>();
  #seen: Seen;

  abstract submit(connection: pg.Connection): void;

  get answered(): Promise<Seen> {
    return this.#answer.promise;
  }

  handleDataRow({ fields }: { readonly fields: readonly (string | null)[] }): void {
    this.#seen = fields[0] === null ? 'null' : 'value';
  }

  handleReadyForQuery(): void {
    this.#answer.resolve(this.#seen);
  }

  handleError(error: Error): void {
    this.#answer.reject(error);
  }

  handleRowDescription(): void {}
  handleCommandComplete(): void {}
  handleEmptyQuery(): void {}
  handlePortalSuspended(): void {}
  handleCopyData(): void {}
  handleCopyInResponse(): void {}
}

class CellStatement extends Handed {
  readonly #sql: string;
  readonly #values: readonly Value[];
  #sending = Promise.resolve();

  constructor(sql: string, values: readonly Value[]) {
    super();
    this.#sql = sql;
    this.#values = values;
  }

  override submit(connection: pg.Connection): void {
    connection.parse({ name: '', text: this.#sql, types: [] }, true);
    this.#sending = this.#send(connection);
  }

  /** What was sent is the caller's again. */
  async done(): Promise<Seen> {
    try {
      return await this.answered;
    } finally {
      await this.#sending;
    }
  }

  /** Behind an error, and on a stream that is gone, nobody reads it. */
  async #send(connection: pg.Connection): Promise<void> {
    for (const slice of slicesOf(bindParts(this.#values))) {
      await new Promise<void>((resolve) => connection.stream.write(slice, () => resolve()));
      letGo(slice.length);
    }
    connection.execute({ portal: '' }, true);
    connection.sync();
  }
}

/** One row of one column; its cell goes where `LongCells` sends it. */
export function askCell(client: pg.Client, sql: string, values: readonly Value[]): Promise<Seen> {
  return client.query(new CellStatement(sql, values)).done();
}

class Parting extends Handed {
  readonly #cells: LongCells;

  constructor(cells: LongCells) {
    super();
    this.#cells = cells;
  }

  override submit(connection: pg.Connection): void {
    const { stream } = connection;
    const parsers = stream.listeners('data') as ((chunk: Buffer) => void)[];
    stream.removeAllListeners('data');
    stream.on('data', (chunk: Buffer) => {
      letGo(chunk.length);
      try {
        for (const part of this.#cells.take(chunk)) for (const parse of parsers) parse(part);
      } catch {
        // Whoever awaits a query learns of it there.
        stream.destroy();
      }
    });
    connection.sync();
  }
}

/** From now on, in a session that has logged in. */
export async function partLongCells(client: pg.Client): Promise<LongCells> {
  const cells = new LongCells();
  await client.query(new Parting(cells)).answered;
  return cells;
}
