/** A protected table behind a guard with an engine, whose client gets new keys; and the tool's parts beside it. */
import { renameSync } from 'node:fs';
import { join } from 'node:path';
import type pg from 'pg';
import type { Test } from 'tap';
import { parseEncryptorConfig } from '../../../../acra/encryptor-config/lint.ts';
import { forgetKeys } from '../../../../acra/keystore/forget.ts';
import { clientKeyIds } from '../../../../acra/keystore/key-ids.ts';
import { rotateKeys } from '../../../../acra/keystore/rotate.ts';
import { type Connection, connect } from '../../../../cli/data/connection.ts';
import { Progress, Throttle } from '../../../../cli/data/progress.ts';
import { type ReencryptOptions, type ReencryptReport, reencrypt } from '../../../../cli/data/reencrypt/reencrypt.ts';
import { reencryptTarget } from '../../../../cli/data/reencrypt/target.ts';
import { Sessions } from '../../../../cli/data/sessions.ts';
import { AS_STORED } from '../../../../cli/data/verify/stored-form.ts';
import type { Views } from '../../../../cli/data/verify/views.ts';
import { keyIdsDocument } from '../../../../keys/key-ids-file.ts';
import { systemClock } from '../../../../runtime/clock.ts';
import { systemRandom } from '../../../../runtime/random.ts';
import { atRest, masterKey, masterKeyBytes, writeKeystore } from '../../../acra/support/at-rest.ts';
import { type GuardedPostgres, guardedPostgres } from '../../../sessions/guard/support/guarded-postgres.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';

const CLIENT_IDS = [atRest.clientId];

type ReencryptFor = Partial<ReencryptOptions> & {
  readonly maxRows?: number;
  readonly maxBytes?: number;
  readonly signal?: AbortSignal;
  /** Of each session that the tool gets. */
  readonly around?: (connection: Connection) => Connection;
  readonly tellOfSessions?: (text: string) => void;
};

export interface Reencrypting {
  readonly postgres: GuardedPostgres;
  readonly owner: pg.Client;
  /** Through the guard. */
  client(): Promise<pg.Client>;
  /** New keys for the client; the engine has them when this resolves. */
  rotate(): Promise<void>;
  /** New keys that the engine does not get. */
  rotateBehindIt(): Promise<void>;
  forgetOld(): Promise<void>;
  ids(): Promise<{ readonly current: string; readonly old: readonly string[] }>;
  reencrypt(options?: ReencryptFor): Promise<ReencryptReport>;
}

const told: (text: string) => void = () => undefined;
const PATIENCE_MS = 30_000;

/** @param config of one table @param sql that makes it */
export async function reencrypting(t: Test, config: string, sql: string): Promise<Reencrypting> {
  const keystore = writeKeystore(temporaryFolder(t));
  const asideFolder = temporaryFolder(t);
  const postgres = await guardedPostgres(t, config, {}, [], {
    keystore: { folder: keystore, masterKey: masterKeyBytes() },
  });
  await postgres.owner.query(sql);
  const { tables } = parseEncryptorConfig(config, 'encryptor.yaml');
  let count = 0;
  const replaceKeystore = async (make: (newFolder: string) => Promise<unknown>) => {
    count += 1;
    const aside = (name: string) => join(asideFolder, `${name}-${count}`);
    await make(aside('new'));
    renameSync(keystore, aside('old'));
    renameSync(aside('new'), keystore);
  };
  const rotateBehindIt = () =>
    replaceKeystore((newFolder) => {
      const common = { folder: keystore, newFolder, masterKey: masterKey(), clientIds: CLIENT_IDS };
      return rotateKeys({ ...common, nowMs: Date.now(), random: systemRandom });
    });
  const restart = async () => {
    await postgres.engine.kill();
    postgres.engine.launch();
  };
  const ids = () => clientKeyIds({ folder: keystore, masterKey: masterKey(), clientIds: CLIENT_IDS });
  const session = (options?: string) =>
    connect({
      host: '127.0.0.1',
      port: postgres.port,
      user: 'app',
      password: 'pencil',
      database: 'shop',
      ...(options !== undefined && { options }),
    });
  const openViews = async (around: (connection: Connection) => Connection): Promise<Views> => {
    const [opened, stored] = [around(await session()), around(await session(AS_STORED))];
    return { opened, stored, end: () => opened.end().then(() => stored.end()) };
  };
  return {
    postgres,
    owner: postgres.owner,
    client: () => postgres.connect(),
    rotateBehindIt,
    rotate: async () => {
      await rotateBehindIt();
      await restart();
    },
    forgetOld: async () => {
      await replaceKeystore((newFolder) =>
        forgetKeys({ folder: keystore, newFolder, masterKey: masterKey(), clientIds: CLIENT_IDS, keepsPairs: false }),
      );
      await restart();
    },
    ids: async () => {
      const [own] = keyIdsDocument(await ids()).clients;
      if (!own) throw new Error('the client has no key');
      return own;
    },
    reencrypt: async ({
      maxRows = 100,
      maxBytes = 1024 * 1024,
      signal = AbortSignal.timeout(100_000),
      around = (connection: Connection) => connection,
      tellOfSessions = told,
      ...options
    } = {}) => {
      const clients = keyIdsDocument(await ids()).clients;
      const configured = { folder: '', config: undefined as never, tables, migrations: [] };
      const target = reencryptTarget(configured, undefined, atRest.clientId, clients);
      const common = { clock: systemClock, signal };
      const open = () => openViews(around);
      const sessions = new Sessions({
        ...common,
        open,
        patienceMs: PATIENCE_MS,
        random: systemRandom,
        told: tellOfSessions,
      });
      const context = {
        sessions,
        signal,
        limits: { maxRows, maxBytes },
        progress: new Progress(systemClock, told),
        throttle: new Throttle(systemClock, undefined),
      };
      try {
        const fixed = { target, schema: undefined, mode: 'reencrypt', maxOffenders: 20, told } as const;
        return await reencrypt(context, { ...fixed, ...options });
      } finally {
        await sessions.renew();
      }
    },
  };
}
