/** One form through one session: what it ends with, what the database got to see, and what is left at rest. */
import type { Socket } from 'node:net';
import type pg from 'pg';
import type { Message } from '../../../postgres/message-reader.ts';
import { copy } from '../../support/copy-query.ts';
import { BEFORE, type Form, MARKER } from './form.ts';

export const PROTOCOLS = ['simple', 'extended', 'prepared'] as const;
export type Protocol = (typeof PROTOCOLS)[number];

type Outcome =
  | { readonly kind: 'works'; readonly rows: readonly object[] }
  | { readonly kind: 'failed'; readonly sqlState: string; readonly message: string };

export interface Observed {
  readonly outcome: Outcome;
  /** MARKER was in what the database received. */
  readonly isOnWire: boolean;
  readonly isAtRest: boolean;
  /** email and diagnosis by id, as the application reads them. */
  readonly left: Readonly<Record<number, readonly [string | null, string | null]>>;
}

export type Session = pg.Client & { readonly connection: { readonly stream: Socket } };

export interface Place {
  readonly application: Session;
  readonly owner: pg.Client;
  /** What the database received of the application's session. */
  readonly heard: readonly Message[];
  /** Another session in the place of one that is lost, or gives no answer. */
  renew(): Promise<void>;
}

const FORMS_OF_MARKER = [
  Buffer.from(MARKER),
  Buffer.from(Buffer.from(MARKER).toString('hex')),
  Buffer.from(Buffer.from(MARKER).toString('hex').toUpperCase()),
];

/** Whether MARKER was in what the database received. */
export const wasSeen = (received: readonly Message[]) =>
  received.some(({ frame }) => FORMS_OF_MARKER.some((each) => frame.includes(each)));

/** Literals in the place of parameters, for the simple protocol. */
function inlined({ sql, values = [] }: Form): string {
  return sql.replaceAll(/\$(\d+)/g, (_, number: string) => {
    const value = values[Number(number) - 1];
    if (Array.isArray(value)) return `ARRAY[${value.map((each) => `'${each}'`).join(', ')}]`;
    return typeof value === 'number' ? String(value) : `'${value}'`;
  });
}

let named = 0;

async function copied({ application }: Place, sql: string, data: Buffer, protocol: Protocol) {
  named += 1;
  const by = protocol === 'prepared' ? { name: `form ${named}` } : protocol;
  const got = await copy(application, sql, { data: [data], protocol: by });
  return { rows: [{ copied: Buffer.concat(got.data).toString('latin1') }] };
}

type Result = Pick<pg.QueryResult, 'rows'>;

function run(place: Place, form: Form, protocol: Protocol): Promise<Result | Result[]> {
  const { application } = place;
  if (form.copies) return copied(place, form.sql, form.copies, protocol);
  if (protocol === 'simple') return application.query(form.values ? inlined(form) : form.sql);
  const values = [...(form.values ?? [])];
  named += 1;
  const config = { text: form.sql, values, queryMode: 'extended' };
  return application.query(protocol === 'extended' ? config : { ...config, name: `form ${named}` });
}

/** acra-server in line leaves some without. */
const NO_ANSWER_MS = 5_000;

export async function outcomeOf(place: Place, form: Form, protocol: Protocol): Promise<Outcome> {
  const late = AbortSignal.timeout(NO_ANSWER_MS);
  const { stream } = place.application.connection;
  const end = () => stream.destroy();
  late.addEventListener('abort', end, { once: true });
  try {
    const result = await run(place, form, protocol);
    return { kind: 'works', rows: (Array.isArray(result) ? result.at(-1) : result)?.rows ?? [] };
  } catch (error) {
    const { code = '', message } = error as pg.DatabaseError;
    return { kind: 'failed', sqlState: code, message };
  } finally {
    late.removeEventListener('abort', end);
    if (stream.destroyed) await place.renew();
  }
}

async function reset(place: Place): Promise<void> {
  const { application, owner } = place;
  await application.query('ROLLBACK').catch(() => place.renew());
  await owner.query('TRUNCATE patients');
  for (const [index, value] of BEFORE.entries()) {
    const sql = 'INSERT INTO patients (id, name, email, diagnosis) VALUES ($1, $2, $3, $4)';
    await place.application.query(sql, [index + 1, `n${index + 1}`, value, value]);
  }
}

export async function observe(place: Place, form: Form, protocol: Protocol): Promise<Observed> {
  await reset(place);
  const { owner, heard } = place;
  const from = heard.length;
  const outcome = await outcomeOf(place, form, protocol);
  const isOnWire = wasSeen(heard.slice(from));
  const stored = await owner.query<{ bytes: Buffer }>(
    `SELECT coalesce(email, '') || coalesce(diagnosis, '') || convert_to(name, 'UTF8') AS bytes FROM patients`,
  );
  const left = await place.application.query('SELECT id, email, diagnosis FROM patients');
  return {
    outcome,
    isOnWire,
    isAtRest: stored.rows.some(({ bytes }) => FORMS_OF_MARKER.some((each) => bytes.includes(each))),
    left: Object.fromEntries(left.rows.map(({ id, email, diagnosis }) => [id, [email, diagnosis]])),
  };
}
