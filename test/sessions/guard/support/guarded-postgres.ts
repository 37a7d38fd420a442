/**
 * Sessions of the guard before a real PostgreSQL, with an engine (acra-server where there is one, else the stand-in), and without the
 * front: a client connects in clear, and what the database receives can be read.
 */
import { once } from 'node:events';
import { type AddressInfo, createServer, connect as dial, type Socket } from 'node:net';
import pg from 'pg';
import type { Test } from 'tap';
import { parseEncryptorConfig } from '../../../../acra/encryptor-config/lint.ts';
import type { Migration } from '../../../../acra/migration/migration.ts';
import { withHidden } from '../../../../acra/migration/tables.ts';
import { StatementJudge } from '../../../../acra/statements/statement-judge.ts';
import { decodeStartupMessage } from '../../../../postgres/startup-message.ts';
import { systemClock } from '../../../../runtime/clock.ts';
import { systemRandom } from '../../../../runtime/random.ts';
import { SecretBuffer } from '../../../../runtime/secret-buffer.ts';
import { certificateLogin } from '../../../../sessions/guard/access.ts';
import { noCounts } from '../../../../sessions/guard/guard-counts.ts';
import { protectorsOf } from '../../../../sessions/guard/protector.ts';
import { SecretChoice } from '../../../../sessions/guard/secret-choice.ts';
import { GuardedSession, type SessionDeps } from '../../../../sessions/guard/session.ts';
import { Switches } from '../../../../sessions/guard/sides.ts';
import { HeldBytes } from '../../../../sessions/held-bytes.ts';
import {
  type EngineRig,
  type EngineRigOptions,
  PROGRAMS,
  startEngine,
} from '../../../acra/engine/support/engine-rig.ts';
import { MemoryLogger } from '../../../support/memory-logger.ts';
import { startShop } from '../../../support/shop-database.ts';
import { lyingDatabase } from '../../edge/support/lying-database.ts';

const USER = { name: 'app', password: 'pencil' };
const MIB = 1024 * 1024;
const HOUR_MS = 3_600_000;
/** Integers are beyond the stand-in. */
export const isReal = !PROGRAMS['acra-server']?.skip;

export interface GuardedPostgres {
  /** Of the guard; node-postgres and other clients connect to it without TLS, as user app of database shop. */
  readonly port: number;
  /** To the database, as its owner. */
  readonly owner: pg.Client;
  readonly room: HeldBytes;
  /** @param options of the start-up packet */
  connect(options?: string): Promise<pg.Client>;
  /** A connection whose bytes are the test's own. */
  raw(): Promise<Socket>;
  /** All that the database has received from the guard. */
  heard(): Buffer;
  readonly engine: EngineRig;
}

export async function guardedPostgres(
  t: Test,
  encryptorConfig: string,
  deps: Partial<SessionDeps> = {},
  migrations: readonly Migration[] = [],
  engineOptions: Pick<EngineRigOptions, 'keystore' | 'tokens'> = {},
): Promise<GuardedPostgres> {
  const server = await startShop(t, USER, undefined);
  const heard: Buffer[] = [];
  const database = await lyingDatabase(t, (socket, first) => {
    const upstream = dial(server.port, server.host).on('error', () => undefined);
    upstream.write(first);
    socket.on('data', (chunk: Buffer) => {
      heard.push(chunk);
      upstream.write(chunk);
    });
    upstream.pipe(socket);
    socket.once('close', () => upstream.destroy());
  });
  const command = PROGRAMS[isReal ? 'acra-server' : 'the stand-in']?.command;
  const rig = await startEngine(t, { encryptorConfig, ...(command && { command }), ...engineOptions });
  const { engine } = rig;
  const { tables } = parseEncryptorConfig(encryptorConfig, 'encryptor.yaml', 'kept');
  const judge = await StatementJudge.start(withHidden(tables, migrations), systemClock, { reader: 'engine' });
  t.teardown(() => judge.stop());
  const secrets = new SecretChoice([SecretBuffer.take(Buffer.from(USER.password))], () => undefined);
  const users = [{ name: USER.name, databases: [server.database], secrets }];
  const room = new HeldBytes(64 * MIB);
  const sessionDeps: SessionDeps = {
    database,
    openAccess: certificateLogin({ users, random: systemRandom, logger: new MemoryLogger() }),
    judge,
    switches: new Switches(migrations),
    protectors: protectorsOf(engine, {
      onFailure: () => undefined,
      findsPoison: true,
      watch: { elsewhere: () => undefined, contradicted: () => undefined },
      counts: noCounts().values,
    }),
    room,
    maxMessageBytes: 16 * MIB,
    maxDatabaseMessageBytes: 64 * MIB,
    clock: systemClock,
    ...deps,
  };
  const listener = createServer({ noDelay: true }, (socket) => {
    socket.on('error', () => undefined);
    socket.once('data', (first: Buffer) => {
      socket.pause();
      const startup = decodeStartupMessage(first);
      const session = new GuardedSession(socket, sessionDeps);
      void session.serve({
        startup,
        certificateEndsMs: systemClock.nowMs() + HOUR_MS,
        channelBinding: null,
        loginMs: 15_000,
      });
    });
  });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const { port } = listener.address() as AddressInfo;
  const clients: pg.Client[] = [];
  const connect = async (at: number, options?: string) => {
    const client = new pg.Client({
      host: '127.0.0.1',
      port: at,
      database: server.database,
      user: USER.name,
      password: USER.password,
      ...(options !== undefined && { options }),
    });
    client.on('error', () => undefined);
    await client.connect();
    clients.push(client);
    return client;
  };
  t.teardown(async () => {
    await Promise.all(clients.map((client) => client.end()));
    listener.close();
  });
  const owner = await connect(server.port);
  return {
    port,
    owner,
    room,
    connect: (options) => connect(port, options),
    raw: async () => {
      const socket = dial(port, '127.0.0.1').on('error', () => undefined);
      t.teardown(() => socket.destroy());
      await once(socket, 'connect');
      return socket;
    },
    heard: () => Buffer.concat(heard),
    engine: rig,
  };
}
