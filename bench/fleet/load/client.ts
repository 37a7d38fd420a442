/**
 * A client as an application is one: it writes a row with protected values, reads it by its searchable column and compares, again and again; when
 * its session is lost it begins another. Half of them keep their session as long as it lives, half are as a pool with a maximum life of
 * connections: they end theirs every few seconds, which is what a drain waits for.
 *
 * It never sends an INSERT again: whether one that was not acknowledged is in the table is for the benchmark to find out.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { ENCLAVE_NAME } from '../../../cli/demo/certificates.ts';
import { APPLICATION, DATABASE } from '../../../cli/demo/database.ts';
import type { Stack } from '../../../cli/demo/stack.ts';
import type { TcpEndpoint } from '../../../wire/endpoint.ts';
import type { Ledger, Outcome } from './ledger.ts';

/** Until a client gives up a connection that is not made, and a statement that is not answered. */
const GIVE_UP_MS = 5_000;
const RETRY_MS = 100;
const BETWEEN_MS = 50;
/** Shorter than hosts drain (fleet.ts). */
const POOLED_LIFE_MS = 3_000;

/** Whatever must not be found in the database. */
export const PLAINTEXT = 'PLAINTEXT';
export const emailOf = (id: number) => `${PLAINTEXT}-${id}@example.org`;
export const diagnosisOf = (id: number) => `${PLAINTEXT} diagnosis ${id}`;

const INSERT = 'INSERT INTO patients (id, name, email, diagnosis) VALUES ($1, $2, $3, $4)';
const SELECT = 'SELECT id, name, email, diagnosis FROM patients WHERE email = $1';

/** @returns SQLSTATE, the error of the system, or its words */
function reasonOf(error: unknown): string {
  const { code, message } = error as { readonly code?: unknown; readonly message?: unknown };
  return typeof code === 'string' ? code : String(message);
}

export interface LoadTarget {
  readonly stack: Stack;
  readonly address: TcpEndpoint;
  readonly ledger: Ledger;
  /** Of all clients. */
  readonly nextId: () => number;
}

class LoadSession {
  readonly #client: pg.Client;
  readonly #target: LoadTarget;
  readonly #number: number;
  readonly begunMs = performance.now();
  #end: unknown;

  private constructor(target: LoadTarget, number: number) {
    this.#target = target;
    this.#number = number;
    const { certificates } = target.stack.parts;
    const { certificatePem: cert, privateKeyPem: key } = certificates.client;
    this.#client = new pg.Client({
      host: target.address.host,
      port: target.address.port,
      database: DATABASE,
      user: APPLICATION.user,
      connectionTimeoutMillis: GIVE_UP_MS,
      query_timeout: GIVE_UP_MS,
      ssl: { ca: certificates.applicationCaPem, cert, key, servername: ENCLAVE_NAME },
    });
    this.#client.on('error', (error) => {
      this.#end ??= error;
    });
    this.#client.on('end', () => {
      this.#end ??= new Error('the connection ended');
    });
  }

  static async open(target: LoadTarget, number: number): Promise<LoadSession | undefined> {
    const session = new LoadSession(target, number);
    try {
      await session.#client.connect();
      return session;
    } catch (error) {
      target.ledger.add(number, 'not-begun', reasonOf(error));
      session.#drop();
      return undefined;
    }
  }

  /** One row in and out again. @returns whether the session goes on */
  async turn(): Promise<boolean> {
    if (this.#end !== undefined) return this.#lost(this.#end);
    const { nextId, ledger } = this.#target;
    const id = nextId();
    const values = [id, `n${id}`, emailOf(id), diagnosisOf(id)];
    const { outcome, reason } = await this.#ask(INSERT, values, () => true);
    ledger.written.push({ id, outcome, ...(reason === undefined ? {} : { reason }) });
    if (this.#end !== undefined) return this.#lost(this.#end);
    if (outcome !== 'acknowledged') return true;
    await this.#ask(SELECT, [emailOf(id)], ({ rows }) => isRow(rows, id));
    return this.#end === undefined || this.#lost(this.#end);
  }

  async close(): Promise<void> {
    await this.#client.end().catch(() => undefined);
  }

  async #ask(
    text: string,
    values: readonly unknown[],
    isRight: (result: pg.QueryResult) => boolean,
  ): Promise<{ readonly outcome: Outcome; readonly reason?: string }> {
    const { ledger } = this.#target;
    try {
      const result = await this.#client.query(text, [...values]);
      ledger.add(this.#number, isRight(result) ? 'answered' : 'wrong');
      return { outcome: 'acknowledged' };
    } catch (error) {
      const isAnswer = error instanceof pg.DatabaseError;
      const reason = reasonOf(error);
      ledger.add(this.#number, isAnswer ? 'failed' : 'unknown', reason);
      if (!isAnswer || error.severity !== 'ERROR') this.#end ??= error;
      return { outcome: isAnswer ? 'refused' : 'unknown', reason };
    }
  }

  #lost(end: unknown): false {
    this.#target.ledger.add(this.#number, 'lost', reasonOf(end));
    this.#drop();
    return false;
  }

  /** Without a word: whoever does not answer does not answer to that either. */
  #drop(): void {
    const { stream } = (this.#client as unknown as { readonly connection: { readonly stream: { destroy(): void } } })
      .connection;
    stream.destroy();
  }
}

function isRow(rows: readonly Record<string, unknown>[], id: number): boolean {
  const [row] = rows;
  return (
    rows.length === 1 && row?.['id'] === id && row['email'] === emailOf(id) && row['diagnosis'] === diagnosisOf(id)
  );
}

/** @param number pairs have a session that stays, others one of a pool */
async function serve(target: LoadTarget, number: number, goesOn: () => boolean): Promise<void> {
  const lifeMs = number % 2 === 0 ? Number.POSITIVE_INFINITY : POOLED_LIFE_MS;
  while (goesOn()) {
    const session = await LoadSession.open(target, number);
    if (session === undefined) {
      await sleep(RETRY_MS);
      continue;
    }
    let isThere = true;
    while (goesOn() && performance.now() - session.begunMs < lifeMs) {
      isThere = await session.turn();
      if (!isThere) break;
      await sleep(BETWEEN_MS);
    }
    if (isThere) await session.close();
    else await sleep(RETRY_MS);
  }
}

export async function serveAll(target: LoadTarget, clients: number, goesOn: () => boolean): Promise<void> {
  await Promise.all(Array.from({ length: clients }, (_, number) => serve(target, number, goesOn)));
}
