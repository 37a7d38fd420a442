/** Tables that are to be encrypted, behind a guard with an engine, and the tool's parts beside it. */
import type pg from 'pg';
import type { Test } from 'tap';
import { parseEncryptorConfig } from '../../../../acra/encryptor-config/lint.ts';
import { type Connection, connect } from '../../../../cli/data/connection.ts';
import { type EncryptOptions, type EncryptReport, encrypt } from '../../../../cli/data/encrypt.ts';
import { type Inspected, inspect } from '../../../../cli/data/inspect.ts';
import { judgeColumn } from '../../../../cli/data/preflight.ts';
import { applyPreparation, planPreparation } from '../../../../cli/data/prepare.ts';
import { Progress, Throttle } from '../../../../cli/data/progress.ts';
import { Sessions } from '../../../../cli/data/sessions.ts';
import { type VerifyOptions, type VerifyReport, verify } from '../../../../cli/data/verify/verify.ts';
import { systemClock } from '../../../../runtime/clock.ts';
import { systemRandom } from '../../../../runtime/random.ts';
import { type GuardedPostgres, guardedPostgres } from '../../../sessions/guard/support/guarded-postgres.ts';

const migrationOf = (table: string) => ({ table, column: 'name', beside: 'name_protected', old: 'name_plain' });

/** @param settings of both columns */
const configOf = (table: string, settings: string, key: readonly string[]) => `
  - table: ${JSON.stringify(table)}
    columns: [${[...key, 'name', 'ward', 'name_protected'].join(', ')}]
    encrypted:
      - {column: name, ${settings}}
      - {column: name_protected, ${settings}}`;

export const SEARCHABLE = 'data_type: str, searchable: true';

type EncryptFor = Partial<EncryptOptions> & {
  readonly maxRows?: number;
  readonly maxBytes?: number;
  readonly signal?: AbortSignal;
  readonly open?: () => Promise<Connection>;
  /** What is said of lost sessions. */
  readonly tellOfSessions?: (text: string) => void;
};

export interface Migrating {
  readonly postgres: GuardedPostgres;
  readonly owner: pg.Client;
  /** Through the guard, as the tool has it. */
  session(): Promise<Connection>;
  look(): Promise<Inspected>;
  /** `code: what was found` of the preflight. @param isBeforePrepare default: false */
  findings(isBeforePrepare?: boolean): Promise<readonly string[]>;
  prepare(): Promise<void>;
  encrypt(options?: EncryptFor): Promise<EncryptReport>;
  verify(options?: Partial<VerifyOptions>): Promise<VerifyReport>;
}

const told: (text: string) => void = () => undefined;

export interface ManyMigrating {
  readonly postgres: GuardedPostgres;
  of(table: string): Migrating;
}

/** Of several tables, all with the same columns. */
export async function migratingTables(
  t: Test,
  settings: string,
  names: readonly string[],
  key: readonly string[] = ['id'],
): Promise<ManyMigrating> {
  const text = `schemas:${names.map((name) => configOf(name, settings, key)).join('')}\n`;
  const { tables } = parseEncryptorConfig(text, 'encryptor.yaml');
  const postgres = await guardedPostgres(t, text, {}, names.map(migrationOf));
  const session = (port = postgres.port) =>
    connect({ host: '127.0.0.1', port, user: 'app', password: 'pencil', database: 'shop' });
  const direct = () => session(postgres.owner.port);
  const common = (signal = AbortSignal.timeout(100_000)) => ({
    clock: systemClock,
    signal,
    limits: { maxRows: 100, maxBytes: 1024 * 1024 },
    progress: new Progress(systemClock, told),
    throttle: new Throttle(systemClock, undefined),
  });
  const sessionsOf = <Session extends { end(): Promise<void> }>(
    open: () => Promise<Session>,
    signal: AbortSignal,
    tellOf = told,
  ) => new Sessions({ open, signal, clock: systemClock, patienceMs: 30_000, random: systemRandom, told: tellOf });
  const of = (name: string): Migrating => {
    const [migration, table] = [migrationOf(name), tables.get(name)!];
    const column = table.encrypted.get('name')!;
    const look = async () => {
      const connection = await direct();
      const inspected = await inspect(connection, migration, column);
      await connection.end();
      if ('code' in inspected) throw new Error(`${inspected.code}: ${inspected.found}`);
      return inspected;
    };
    return {
      postgres,
      owner: postgres.owner,
      session: () => session(),
      look,
      findings: async (isBeforePrepare = false) =>
        judgeColumn(await look(), isBeforePrepare).map(({ code, found }) => `${code}: ${found}`),
      prepare: async () => {
        const connection = await direct();
        await applyPreparation(connection, planPreparation(await look()), told);
        await connection.end();
      },
      encrypt: async ({
        maxRows = 100,
        maxBytes = 1024 * 1024,
        signal,
        open = () => session(),
        tellOfSessions,
        ...options
      } = {}) => {
        const shared = common(signal);
        const sessions = sessionsOf(open, shared.signal, tellOfSessions);
        const target = { migration, column };
        const lock = { lockTimeoutMs: 500, patienceMs: 60_000 };
        const fixed = { target, schema: undefined, isDryRun: false, old: 'keep', lock, told } as const;
        try {
          return await encrypt({ ...shared, sessions, limits: { maxRows, maxBytes } }, { ...fixed, ...options });
        } finally {
          await sessions.renew();
        }
      },
      verify: async (options = {}) => {
        const shared = common();
        const open = async () => {
          const [opened, stored] = [await session(), await direct()];
          return { opened, stored, end: () => opened.end().then(() => stored.end()) };
        };
        const sessions = sessionsOf(open, shared.signal);
        const fixed = { table, migrations: [migration], schema: undefined, maxOffenders: 20, isBeforeDrop: false };
        const report = await verify({ ...shared, sessions }, { ...fixed, ...options });
        await sessions.renew();
        return report;
      },
    };
  };
  return { postgres, of };
}

/** @param sql that makes the table `patients` */
export async function migrating(t: Test, settings: string, sql: string, key?: readonly string[]): Promise<Migrating> {
  const { postgres, of } = await migratingTables(t, settings, ['patients'], key);
  await postgres.owner.query(sql);
  return of('patients');
}
