/** COPY with node-postgres, which itself has none: a query of its own that sends data when it is asked to, and keeps those that come. */
import type pg from 'pg';

/** What node-postgres has, and its types do not show. */
interface Connection {
  query(text: string): void;
  parse(query: object, more?: boolean): void;
  bind(query: object, more?: boolean): void;
  execute(query: object, more?: boolean): void;
  sync(): void;
  sendCopyFromChunk(chunk: Buffer): void;
  endCopyFrom(): void;
  sendCopyFail(message: string): void;
}

export interface CopyOptions {
  /** COPY FROM: what is sent, a message each. */
  readonly data?: readonly Buffer[];
  /** Called when the first of them was sent; the others are when it resolves. */
  readonly pause?: () => Promise<void>;
  /** In place of the end: the client gives up. */
  readonly failsWith?: string;
  /** By name: a prepared statement. */
  readonly protocol?: 'simple' | 'extended' | { readonly name: string };
}

export interface Copied {
  /** COPY TO: a message each. */
  readonly data: readonly Buffer[];
  readonly tag: string;
}

class CopyQuery {
  readonly #sql: string;
  readonly #options: CopyOptions;
  readonly #data: Buffer[] = [];
  readonly #settled = Promise.withResolvers<Copied>();
  #tag = '';
  #error: Error | undefined;

  constructor(sql: string, options: CopyOptions) {
    this.#sql = sql;
    this.#options = options;
  }

  get copied(): Promise<Copied> {
    return this.#settled.promise;
  }

  submit(connection: Connection): void {
    const { protocol = 'simple' } = this.#options;
    if (protocol === 'simple') {
      connection.query(this.#sql);
      return;
    }
    const name = protocol === 'extended' ? '' : protocol.name;
    connection.parse({ name, text: this.#sql, types: [] }, true);
    connection.bind({ portal: '', statement: name, values: [] }, true);
    connection.execute({ portal: '', rows: 0 }, true);
    connection.sync();
  }

  handleCopyInResponse(connection: Connection): void {
    const { data = [], pause } = this.#options;
    for (const chunk of data.slice(0, 1)) connection.sendCopyFromChunk(chunk);
    if (pause) pause().then(() => this.#sendRest(connection), this.#settled.reject);
    else this.#sendRest(connection);
  }

  #sendRest(connection: Connection): void {
    const { data = [], failsWith, protocol = 'simple' } = this.#options;
    for (const chunk of data.slice(1)) connection.sendCopyFromChunk(chunk);
    if (failsWith === undefined) connection.endCopyFrom();
    else connection.sendCopyFail(failsWith);
    if (protocol !== 'simple') connection.sync();
  }

  handleCopyData({ chunk }: { readonly chunk: Buffer }): void {
    this.#data.push(Buffer.from(chunk));
  }

  handleCommandComplete({ text }: { readonly text: string }): void {
    this.#tag = text;
  }

  /** node-postgres asks no more of a query that failed, and is ready for the next. */
  handleError(error: Error): void {
    this.#error = error;
    this.#settled.reject(error);
  }

  handleReadyForQuery(): void {
    if (!this.#error) this.#settled.resolve({ data: this.#data, tag: this.#tag });
  }

  handlePortalSuspended(): void {}
  handleEmptyQuery(): void {}
  handleRowDescription(): void {}
  handleDataRow(): void {}
}

export function copy(client: pg.Client, sql: string, options: CopyOptions = {}): Promise<Copied> {
  const query = new CopyQuery(sql, options);
  client.query(query as unknown as pg.Submittable);
  return query.copied;
}
