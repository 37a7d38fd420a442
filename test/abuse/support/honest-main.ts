/**
 * An honest client as a process of its own, so that an attacker's event loop does not show in its times: one session that lives as long
 * as it may, in which every value is read back, and one new session after the other.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import type { HonestPlan, HonestReport, Sample } from './honest.ts';

const BETWEEN_STATEMENTS_MS = 10;
const BETWEEN_SESSIONS_MS = 100;

interface Tally {
  timesMs: number[];
  failures: Record<string, number>;
}
const newTally = (): Tally => ({ timesMs: [], failures: {} });

let statements = newTally();
let sessions = newTally();
let lost = 0;
let wrong = 0;
let isOver = false;

async function measured(tally: Tally, run: () => Promise<unknown>): Promise<void> {
  const beganMs = performance.now();
  try {
    await run();
    tally.timesMs.push(performance.now() - beganMs);
  } catch (error) {
    const { code = 'none', message } = error as { code?: string; message: string };
    const key = `${code} ${message}`.slice(0, 200);
    tally.failures[key] = (tally.failures[key] ?? 0) + 1;
  }
}

function clientOf({ host, port, ca, cert, key, user, password, database, servername }: HonestPlan): pg.Client {
  const client = new pg.Client({
    host,
    port,
    user,
    ...(password === undefined ? {} : { password }),
    database,
    ssl: { ca, cert, key, servername },
    connectionTimeoutMillis: 20_000,
  });
  return client.on('error', () => undefined);
}

async function live(plan: HonestPlan): Promise<void> {
  let id = plan.firstId;
  while (!isOver) {
    const client = clientOf(plan);
    let hasEnded = false;
    client.on('end', () => {
      hasEnded = true;
    });
    await client.connect().catch(() => sleep(BETWEEN_SESSIONS_MS));
    if (!hasEnded && id === plan.firstId) process.send?.('begun');
    while (!(isOver || hasEnded)) {
      id += 1;
      const email = `person-${id}@example.org`;
      await measured(statements, () =>
        client.query('INSERT INTO patients (id, name, email, diagnosis) VALUES ($1, $2, $3, $4)', [
          id,
          'H',
          email,
          `gout ${id}`,
        ]),
      );
      if (hasEnded) break;
      await measured(statements, async () => {
        const { rows } = await client.query('SELECT diagnosis FROM patients WHERE email = $1', [email]);
        // The row may be missing where its INSERT was answered with an error.
        if (rows.length > 0 && rows[0].diagnosis !== `gout ${id}`) wrong += 1;
      });
      await sleep(BETWEEN_STATEMENTS_MS);
    }
    if (isOver) await client.end();
    else lost += 1;
  }
}

async function come(plan: HonestPlan): Promise<void> {
  while (!isOver) {
    await measured(sessions, async () => {
      const client = clientOf(plan);
      await client.connect();
      await client.query('SELECT 1');
      await client.end();
    });
    await sleep(BETWEEN_SESSIONS_MS);
  }
}

function sampleOf({ timesMs, failures }: Tally): Sample {
  const sorted = timesMs.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
  return { count: sorted.length, p50Ms: at(0.5), p99Ms: at(0.99), maxMs: at(1), failures };
}

function report(): HonestReport {
  const told = { statements: sampleOf(statements), sessions: sampleOf(sessions), lost, wrong };
  [statements, sessions, lost, wrong] = [newTally(), newTally(), 0, 0];
  return told;
}

process.on('message', (message: HonestPlan | 'report' | 'end') => {
  if (message === 'report') process.send?.(report());
  else if (message === 'end') isOver = true;
  else void Promise.all([live(message), ...(message.comesAnew ? [come(message)] : [])]).then(() => process.exit(0));
});
