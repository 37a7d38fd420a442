/** What the database has of what clients wrote: all that was acknowledged, each value readable through the enclaves, none in plaintext. */
import { connectDirectly, connectThroughEnclave } from '../../cli/demo/clients.ts';
import type { Fleet } from './fleet.ts';
import { diagnosisOf, emailOf, PLAINTEXT } from './load/client.ts';
import type { Written } from './load/ledger.ts';

interface Row {
  readonly id: number;
  readonly name: string;
  readonly email: string;
  readonly diagnosis: string;
}

/** As somebody who holds the database sees them. */
type StoredRow = Omit<Row, 'email' | 'diagnosis'> & { readonly email: Buffer; readonly diagnosis: Buffer };

const ALL = 'SELECT id, name, email, diagnosis FROM patients';

async function storedRows({ stack, databases }: Fleet): Promise<StoredRow[]> {
  const owner = await connectDirectly({ parts: { ...stack.parts, postgres: databases.current } });
  try {
    return (await owner.query<StoredRow>(ALL)).rows;
  } finally {
    await owner.end();
  }
}

/** Ids of rows. */
export async function storedIds(fleet: Fleet): Promise<ReadonlySet<number>> {
  return new Set((await storedRows(fleet)).map(({ id }) => id));
}

async function readableRows({ stack, address }: Fleet): Promise<Row[]> {
  const client = await connectThroughEnclave(stack, address);
  try {
    return (await client.query<Row>(ALL)).rows;
  } finally {
    await client.end();
  }
}

/** @returns what is not as it must be, a line each */
export async function faultsOf(fleet: Fleet, written: readonly Written[]): Promise<string[]> {
  const stored = await storedRows(fleet);
  const readable = new Map((await readableRows(fleet)).map((row) => [row.id, row]));
  const ids = new Set(stored.map(({ id }) => id));
  const lost = written.filter(({ id, outcome }) => outcome === 'acknowledged' && !ids.has(id));
  const plain = stored.filter(({ email, diagnosis }) => email.includes(PLAINTEXT) || diagnosis.includes(PLAINTEXT));
  const unreadable = stored.filter(({ id }) => {
    const row = readable.get(id);
    return row?.email !== emailOf(id) || row.diagnosis !== diagnosisOf(id);
  });
  const told = { 'acknowledged and lost': lost, 'stored in plaintext': plain, 'not readable': unreadable };
  return Object.entries(told).flatMap(([what, rows]) =>
    rows.length === 0 ? [] : [`${rows.length} rows ${what}: ${rows.slice(0, 5).map(({ id }) => id)}`],
  );
}
