/** A client that works without a break, so that it would notice whatever costs it a session or a statement. */
import { setImmediate } from 'node:timers/promises';
import type pg from 'pg';

export const INSERT = 'INSERT INTO patients (id, name, email, diagnosis) VALUES ($1, $2, $3, $4)';
export const SELECT = 'SELECT email, diagnosis FROM patients WHERE id = $1';

/** Writes and reads by prepared statements until it is told to end. */
export function worker(client: pg.Client, firstId: number) {
  let isOver = false;
  let rounds = 0;
  const work = async () => {
    for (let id = firstId; !isOver; id += 1) {
      const [email, diagnosis] = [`${id}@example.org`, `diagnosis ${id}`];
      await client.query({ name: 'insert', text: INSERT, values: [id, 'A', email, diagnosis] });
      const { rows } = await client.query({ name: 'select', text: SELECT, values: [id] });
      if (rows[0]?.email !== email || rows[0]?.diagnosis !== diagnosis)
        throw new Error(`row ${id} came back otherwise`);
      rounds += 1;
    }
  };
  const working = work();
  working.catch(() => undefined);
  return {
    /** @throws what a query failed by */
    async end(): Promise<number> {
      isOver = true;
      await working;
      return rounds;
    },
    get rounds() {
      return rounds;
    },
    /** It has come so far. @throws what a query failed by */
    async until(count: number): Promise<void> {
      while (rounds < count) await Promise.race([setImmediate(), working]);
    },
  };
}
