/**
 * Statements as people send them: what one session does again and again, in units of one to eight statements each. Every unit says which
 * errors it gets, so that a load which does something else than it should is seen.
 */
import { randomInt } from 'node:crypto';
import { BIND, encodeMessage, PARSE, QUERY } from '../../../postgres/messages.ts';
import { sendCancel } from './cancel.ts';
import type { LoadClient, Target } from './client.ts';

export const ROWS = 1_000;
/** Of what sessions insert: nobody else's. */
const OWN_IDS = 100_000;

export interface Session {
  readonly client: LoadClient;
  readonly target: Target;
  /** From 1 on. */
  readonly number: number;
}

interface Unit {
  readonly name: string;
  /** Of a thousand. */
  readonly share: number;
  readonly statements: number;
  /** SQLSTATEs, in their order. */
  readonly errors?: readonly string[];
  readonly run: (session: Session) => Promise<void>;
}

const text = (value: string) => Buffer.from(`${value}\0`, 'latin1');
const int32 = (value: number) => {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
};
const SYNC = encodeMessage('S');
const describePortal = encodeMessage('D', Buffer.from('P'), text(''));
const execute = (rows = 0) => encodeMessage('E', text(''), int32(rows));
const closeStatement = (name: string) => encodeMessage('C', Buffer.from('S'), text(name));
const bind = (name: string, values: readonly string[]) =>
  BIND.encode(
    '',
    name,
    [],
    values.map((value) => Buffer.from(value)),
    [],
  );

const row = () => randomInt(1, ROWS + 1);
const letters = (count: number) => 'abcdefghij'.repeat(Math.ceil(count / 10)).slice(0, count);

/** Prepared once by each session (`prepare`). */
const PREPARED = {
  read: 'SELECT name, email, diagnosis FROM patients WHERE id = $1',
  untouched: 'SELECT id, name FROM patients WHERE id = $1',
  write: 'UPDATE patients SET diagnosis = $1 WHERE id = $2',
} as const;

export async function prepare({ client }: Session): Promise<void> {
  const parses = Object.entries(PREPARED).map(([name, sql]) => PARSE.encode(name, sql, []));
  await client.ask(Buffer.concat([...parses, SYNC]));
}

const simple = (sql: string | ((session: Session) => string)) => (session: Session) =>
  session.client.ask(QUERY.encode(typeof sql === 'string' ? sql : sql(session)));

const executed =
  (name: keyof typeof PREPARED, values: () => readonly string[]) =>
  ({ client }: Session) =>
    client.ask(Buffer.concat([bind(name, values()), describePortal, execute(), SYNC]));

async function inTransaction(session: Session, ...statements: readonly string[]): Promise<void> {
  for (const sql of statements) await session.client.ask(QUERY.encode(sql));
}

function insertOf(
  session: Session,
  value = 'gout',
): { readonly id: number; readonly email: string; readonly sql: string } {
  const id = session.number * OWN_IDS + randomInt(OWN_IDS);
  const email = `p${id}@example.org`;
  return {
    id,
    email,
    sql: `INSERT INTO patients (id, name, email, diagnosis) VALUES (${id}, 'N', '${email}', '${value}')`,
  };
}

async function kept(session: Session): Promise<void> {
  const { id, email, sql } = insertOf(session);
  const read = `SELECT id, diagnosis FROM patients WHERE email = '${email}'`;
  await inTransaction(session, 'BEGIN', sql, read, `DELETE FROM patients WHERE id = ${id}`, 'COMMIT');
}

async function copyIn(session: Session): Promise<void> {
  const { client } = session;
  const { id } = insertOf(session);
  await client.ask(QUERY.encode('BEGIN'));
  await client.askFor('GZ', QUERY.encode('COPY patients (id, name, email, diagnosis) FROM STDIN'));
  const rows = [0, 1, 2].map((more) => text(`${id + more}\tN\tc${id + more}@example.org\tinfluenza\n`).subarray(0, -1));
  await client.ask(Buffer.concat([...rows.map((each) => encodeMessage('d', each)), encodeMessage('c')]));
  await client.ask(QUERY.encode('ROLLBACK'));
}

async function copyFails({ client }: Session): Promise<void> {
  await client.askFor('GZ', QUERY.encode('COPY patients (id, name, email, diagnosis) FROM STDIN'));
  await client.ask(
    Buffer.concat([encodeMessage('d', Buffer.from('7\tN\tc@exam')), encodeMessage('f', text('no more'))]),
  );
}

/** Closed again, under a name of its own each time: prepared statements that come and go. */
async function named({ client, number }: Session): Promise<void> {
  const name = `n${number}_${randomInt(1e9)}`;
  const sql = `SELECT diagnosis FROM patients WHERE id = $1 AND ${randomInt(1e9)} > 0`;
  const parts = [PARSE.encode(name, sql, []), bind(name, [String(row())]), describePortal, execute()];
  await client.ask(Buffer.concat([...parts, closeStatement(name), SYNC]));
}

async function pages({ client }: Session): Promise<void> {
  const parse = PARSE.encode('', 'SELECT id, email FROM patients WHERE id < $1', []);
  await client.ask(Buffer.concat([parse, bind('', ['20']), describePortal, execute(5), execute(5), SYNC]));
}

/** Many at once: what drivers call a pipeline. */
async function pipeline({ client }: Session): Promise<void> {
  const each = Array.from({ length: 8 }, () => [bind('read', [String(row())]), describePortal, execute(), SYNC]);
  await client.ask(Buffer.concat(each.flat()), each.length);
}

async function cancelled({ client, target }: Session): Promise<void> {
  const asked = client.ask(QUERY.encode('SELECT pg_sleep(60)'));
  await sendCancel(target, client, asked);
}

const FAILS = 'SELECT id, email FROM patients WHERE id = 1 AND 1 / (id - 1) > 0';

export const UNITS: readonly Unit[] = [
  {
    name: 'protected read, simple',
    share: 180,
    statements: 1,
    run: simple(() => `SELECT name, email, diagnosis FROM patients WHERE id = ${row()}`),
  },
  {
    name: 'untouched read, simple',
    share: 180,
    statements: 1,
    run: simple(() => `SELECT id, name FROM patients WHERE id = ${row()}`),
  },
  { name: 'protected read, prepared', share: 140, statements: 1, run: executed('read', () => [String(row())]) },
  { name: 'untouched read, prepared', share: 140, statements: 1, run: executed('untouched', () => [String(row())]) },
  {
    name: 'protected write, prepared',
    share: 60,
    statements: 1,
    run: executed('write', () => [`diagnosis ${randomInt(1e9)}`, String(row())]),
  },
  { name: 'pipeline of eight', share: 60, statements: 8, run: pipeline },
  { name: 'transaction that is kept', share: 50, statements: 5, run: kept },
  {
    name: 'transaction that is rolled back',
    share: 50,
    statements: 3,
    run: (session) => inTransaction(session, 'BEGIN', insertOf(session).sql, 'ROLLBACK'),
  },
  { name: 'statement under a new name', share: 50, statements: 1, run: named },
  { name: 'rows by fives', share: 20, statements: 1, run: pages },
  { name: 'syntax error', share: 20, statements: 1, errors: ['42601'], run: simple('SELEC 1') },
  {
    name: 'refused by the guard',
    share: 20,
    statements: 1,
    errors: ['0A000'],
    run: simple('SELECT max(email) FROM patients'),
  },
  {
    name: 'error in a transaction',
    share: 10,
    statements: 4,
    errors: ['22012', '25P02'],
    run: (session) => inTransaction(session, 'BEGIN', FAILS, 'SELECT 1', 'ROLLBACK'),
  },
  { name: 'COPY in, rolled back', share: 8, statements: 3, run: copyIn },
  {
    name: 'COPY out',
    share: 6,
    statements: 1,
    run: simple('COPY (SELECT id, email, diagnosis FROM patients WHERE id < 11) TO STDOUT'),
  },
  { name: 'COPY in that the client ends', share: 2, statements: 1, errors: ['57014'], run: copyFails },
  {
    name: 'long value, rolled back',
    share: 2,
    statements: 3,
    run: (session) => inTransaction(session, 'BEGIN', insertOf(session, letters(100_000)).sql, 'ROLLBACK'),
  },
  { name: 'cancelled statement', share: 2, statements: 1, errors: ['57014'], run: cancelled },
];

const ALL_SHARES = UNITS.reduce((sum, { share }) => sum + share, 0);

function anyUnit(): Unit {
  let left = randomInt(ALL_SHARES);
  for (const unit of UNITS) {
    left -= unit.share;
    if (left < 0) return unit;
  }
  throw new Error('no units');
}

interface Done {
  readonly statements: number;
  /** What went otherwise than it should. */
  readonly surprise?: string;
}

/** @param unit default: any, by its share */
export async function runUnit(session: Session, unit: Unit = anyUnit()): Promise<Done> {
  const { name, statements, errors = [], run } = unit;
  await run(session);
  const codes = session.client.takeCodes();
  if (codes.join() === errors.join()) return { statements };
  return { statements, surprise: `${name}: ${codes.join(', ') || 'no error'}` };
}

export const insertRows = (): Buffer => {
  const values = Array.from(
    { length: ROWS },
    (_, at) => `(${at + 1}, 'name ${at}', 'e${at}@example.org', 'diagnosis ${at}')`,
  );
  return QUERY.encode(`INSERT INTO patients (id, name, email, diagnosis) VALUES ${values.join(',')}`);
};
