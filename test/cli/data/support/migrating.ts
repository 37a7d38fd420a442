/** A table that is to be encrypted, behind a guard with an engine, and the tool's parts beside it. */
import type pg from 'pg';
import type { Test } from 'tap';
import { parseEncryptorConfig } from '../../../../acra/encryptor-config/lint.ts';
import { type Connection, connect } from '../../../../cli/data/connection.ts';
import { type EncryptOptions, type EncryptReport, encrypt } from '../../../../cli/data/encrypt.ts';
import { type Inspected, inspect } from '../../../../cli/data/inspect.ts';
import { applyPreparation, planPreparation } from '../../../../cli/data/prepare.ts';
import { Progress, Throttle } from '../../../../cli/data/progress.ts';
import { Sessions } from '../../../../cli/data/sessions.ts';
import { type VerifyOptions, type VerifyReport, verify } from '../../../../cli/data/verify/verify.ts';
import { systemClock } from '../../../../runtime/clock.ts';
import { systemRandom } from '../../../../runtime/random.ts';
import { type GuardedPostgres, guardedPostgres } from '../../../sessions/guard/support/guarded-postgres.ts';

const MIGRATION = { table: 'patients', column: 'name', beside: 'name_protected', old: 'name_plain' };

/** @param settings of both columns */
const encryptorConfig = (settings: string, key: readonly string[] = ['id']) => `schemas:
  - table: patients
    columns: [${[...key, 'name', 'ward', 'name_protected'].join(', ')}]
    encrypted:
      - {column: name, ${settings}}
      - {column: name_protected, ${settings}}
`;

export const SEARCHABLE = 'data_type: str, searchable: true';

export interface Migrating {
  readonly postgres: GuardedPostgres;
  readonly owner: pg.Client;
  /** Through the guard, as the tool has it. */
  session(): Promise<Connection>;
  look(): Promise<Inspected>;
  prepare(): Promise<void>;
  verify(options?: Partial<VerifyOptions>): Promise<VerifyReport>;
  encrypt(
    options?: Partial<EncryptOptions> & {
      readonly maxRows?: number;
      readonly maxBytes?: number;
      readonly signal?: AbortSignal;
      readonly open?: () => Promise<Connection>;
    },
  ): Promise<EncryptReport>;
}

/** @param table SQL that makes it */
export async function migrating(t: Test, settings: string, table: string, key?: readonly string[]): Promise<Migrating> {
  const text = encryptorConfig(settings, key);
  const postgres = await guardedPostgres(t, text, {}, [MIGRATION]);
  const configured = parseEncryptorConfig(text, 'encryptor.yaml').tables.get('patients')!;
  const column = configured.encrypted.get('name')!;
  await postgres.owner.query(table);
  const session = (port = postgres.port) =>
    connect({ host: '127.0.0.1', port, user: 'app', password: 'pencil', database: 'shop' });
  const direct = () => session(postgres.owner.port);
  const look = async () => {
    const connection = await direct();
    const inspected = await inspect(connection, MIGRATION, column);
    await connection.end();
    if ('code' in inspected) throw new Error(`${inspected.code}: ${inspected.found}`);
    return inspected;
  };
  return {
    postgres,
    owner: postgres.owner,
    session: () => session(),
    look,
    prepare: async () => {
      const connection = await direct();
      await applyPreparation(connection, planPreparation(await look()), () => undefined);
      await connection.end();
    },
    encrypt: async ({
      maxRows = 100,
      maxBytes = 1024 * 1024,
      signal = AbortSignal.timeout(100_000),
      open = () => session(),
      ...options
    } = {}) => {
      const common = { clock: systemClock, signal };
      const sessions = new Sessions({
        ...common,
        open,
        patienceMs: 30_000,
        random: systemRandom,
        told: () => undefined,
      });
      const context = {
        ...common,
        sessions,
        limits: { maxRows, maxBytes },
        progress: new Progress(systemClock, () => undefined),
        throttle: new Throttle(systemClock, undefined),
      };
      const report = await encrypt(context, {
        target: { migration: MIGRATION, column },
        schema: undefined,
        isDryRun: false,
        old: 'keep',
        lock: { lockTimeoutMs: 500, patienceMs: 60_000 },
        told: () => undefined,
        ...options,
      });
      await sessions.renew();
      return report;
    },
    verify: async (options = {}) => {
      const common = { clock: systemClock, signal: AbortSignal.timeout(100_000) };
      const open = async () => {
        const [opened, stored] = [await session(), await direct()];
        return { opened, stored, end: () => opened.end().then(() => stored.end()) };
      };
      const sessions = new Sessions({
        ...common,
        open,
        patienceMs: 30_000,
        random: systemRandom,
        told: () => undefined,
      });
      const report = await verify(
        {
          ...common,
          sessions,
          limits: { maxRows: 100, maxBytes: 1024 * 1024 },
          progress: new Progress(systemClock, () => undefined),
          throttle: new Throttle(systemClock, undefined),
        },
        {
          table: configured,
          migrations: [MIGRATION],
          schema: undefined,
          maxOffenders: 20,
          isBeforeDrop: false,
          ...options,
        },
      );
      await sessions.renew();
      return report;
    },
  };
}
