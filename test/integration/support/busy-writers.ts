/**
 * Applications that write a table through the enclave, and what was acknowledged into its plain twin. A statement whose answer did not
 * come is sent again, on a new session: each of them may be done twice.
 */
import type pg from 'pg';
import type { Random } from '../../../runtime/random.ts';

export interface Ways {
  readonly application: () => Promise<pg.Client>;
  readonly direct: () => Promise<pg.Client>;
}

const SQLSTATE_OF_A_LOST_SESSION = /^(08|57P|53|58000)/;

/** A session that is made again wherever it is lost. */
export class Insistent {
  readonly #open: () => Promise<pg.Client>;
  #client: pg.Client | undefined;
  /** SQLSTATEs of sessions that were lost. */
  readonly lost: string[] = [];

  constructor(open: () => Promise<pg.Client>) {
    this.#open = open;
  }

  /** @throws what is no lost session */
  async query(text: string, values: readonly unknown[] = []): Promise<pg.QueryArrayResult['rows']> {
    for (;;) {
      try {
        this.#client ??= await this.#open();
        return (await this.#client.query({ text, values: [...values], rowMode: 'array' })).rows;
      } catch (error) {
        const code = (error as { code?: string }).code ?? '';
        if (/^[0-9A-Z]{5}$/.test(code) && !SQLSTATE_OF_A_LOST_SESSION.test(code)) throw error;
        this.lost.push(code);
        await this.end();
      }
    }
  }

  async end(): Promise<void> {
    const client = this.#client;
    this.#client = undefined;
    await client?.end().catch(() => undefined);
  }
}

const STORE = (table: string) =>
  `INSERT INTO ${table} (id, name, town) VALUES ($1, $2, $3) ON CONFLICT (id) DO UPDATE SET name = excluded.name, town = excluded.town`;

function nameFrom(numbers: () => number): string | null {
  const kind = numbers() % 40;
  if (kind === 0) return null;
  if (kind === 1) return '';
  if (kind === 2) return `long ${'ñ"\\'.repeat(2_000)} ${numbers()}`;
  return `new ${numbers()} ${["O'Brien", 'Zoë', '{a,"b"}', '\\x6162', 'NULL', '名前'][numbers() % 6]}`;
}

export interface Writer {
  readonly done: Promise<number>;
  readonly session: Insistent;
}

/**
 * @param index of the writer: rows are its own, those of which the number leaves `index` when it is divided by 8
 * @param isOver asked before each statement
 */
export function startWriter(ways: Ways, index: number, rows: number, random: Random, isOver: () => boolean): Writer {
  const [session, twin] = [new Insistent(ways.application), new Insistent(ways.direct)];
  const numbers = () => random.bytes(4).readUInt32LE();
  const write = async () => {
    const id = (numbers() % Math.ceil((rows * 1.2) / 8)) * 8 + index;
    const kind = numbers() % 10;
    const name = nameFrom(numbers);
    const statement = (table: string): [string, unknown[]] => {
      if (kind < 3) return [STORE(table), [id, name, `town ${kind}`]];
      if (kind < 5) return [`DELETE FROM ${table} WHERE id = $1`, [id]];
      if (kind < 7) return [`UPDATE ${table} SET town = $2 WHERE id = $1`, [id, `moved ${numbers()}`]];
      return [`UPDATE ${table} SET name = $2 WHERE id = $1`, [id, name]];
    };
    const [own, other] = [statement('people'), statement('twin')];
    // The same values for both: a number is drawn once.
    await session.query(...own);
    await twin.query(other[0], own[1]);
  };
  const work = async () => {
    let count = 0;
    for (; !isOver(); count += 1) await write();
    await session.end();
    await twin.end();
    return count;
  };
  return { done: work(), session };
}

/** Reads rows that nobody writes (8 divides their numbers), by number and by name. @throws where one is not as it was */
export function startReader(ways: Ways, rows: number, random: Random, isOver: () => boolean): Writer {
  const session = new Insistent(ways.application);
  const read = async () => {
    const id = 8 * (1 + (random.bytes(4).readUInt32LE() % Math.floor(rows / 8)));
    const name = `name of ${id}`;
    const byNumber = await session.query('SELECT name, town FROM people WHERE id = $1', [id]);
    const byName = await session.query('SELECT id FROM people WHERE name = $1', [name]);
    const [found, searched] = [JSON.stringify(byNumber), JSON.stringify(byName)];
    if (found !== JSON.stringify([[name, 'town']])) throw new Error(`row ${id} reads ${found}`);
    if (searched !== JSON.stringify([[id]])) throw new Error(`row ${id} is searched for, and found is ${searched}`);
  };
  const work = async () => {
    let count = 0;
    for (; !isOver(); count += 1) await read();
    await session.end();
    return count;
  };
  return { done: work(), session };
}
