/** A guard's socket: what it takes, and what it takes no more. */
import { once } from 'node:events';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import t from 'tap';
import { parseEncryptorConfig } from '../../../acra/encryptor-config/lint.ts';
import { ANY_RELATION } from '../../../acra/statements/policy.ts';
import { systemRandom } from '../../../runtime/random.ts';
import { SecretBuffer } from '../../../runtime/secret-buffer.ts';
import { Guard } from '../../../sessions/guard/guard.ts';
import { encodeOpening } from '../../../sessions/opening.ts';
import { tellTables } from '../../../sessions/protected-tables.ts';
import { ENCRYPTOR_CONFIG } from '../../acra/conversation/support/conversation-rig.ts';
import { errorFields } from '../../emulator/acra-server/support/frames.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { MemoryLogger } from '../../support/memory-logger.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { DATABASE_CA } from '../edge/support/lying-database.ts';
import { readToEnd, settled } from '../support/streams.ts';

// A guard goes on until its process ends.
t.plan(5);
t.on('complete', () => setImmediate(() => process.exit()));

const OPENING = encodeOpening({
  startup: { minor: 0, parameters: new Map([['user', 'nobody']]) },
  certificateEndsMs: Date.UTC(2040, 0, 1),
  channelBinding: null,
  loginMs: 15_000,
});

const secretOf = (text: string) => SecretBuffer.take(Buffer.from(text));

async function guardRig(t: Parameters<typeof temporaryFolder>[0], login: 'certificate' | 'verifier' = 'certificate') {
  const folder = temporaryFolder(t);
  const listenPath = join(folder, 'guard');
  const [clock, logger] = [new FakeClock(), new MemoryLogger()];
  const told: string[] = [];
  const send = (message: { readonly type: string; readonly open?: number; readonly areTaken?: boolean }) =>
    told.push(`${message.type} ${message.open ?? message.areTaken ?? ''}`);
  const nobody = { kind: 'tcp', host: '127.0.0.1', port: 1 } as const;
  const options = {
    type: 'serve',
    listenPath,
    acraPath: join(folder, 'acra'),
    enginePort: 0,
    policy: ANY_RELATION,
    mode: 'enforce',
    slowStatementMs: 1_000,
    migrations: [],
    poisonDetection: true,
    tables: tellTables(parseEncryptorConfig(ENCRYPTOR_CONFIG, 'encryptor.yaml').tables),
    database: { address: nobody, serverName: 'db.test', caPem: DATABASE_CA, minTls: 'TLSv1.3' },
    login,
    users: [],
    maxMessageBytes: 10_000,
    maxDatabaseMessageBytes: 10_000,
  } as const;
  const guard = await Guard.start({ send, logger, clock, random: systemRandom }, options, [secretOf('mock')]);
  const connect = async () => {
    const socket = createConnection(listenPath).on('error', () => undefined);
    t.teardown(() => socket.destroy());
    await once(socket, 'connect');
    await settled();
    return socket;
  };
  return { guard, clock, logger, told, connect };
}

t.test('tells where its engine is, then that it listens, and counts its sessions', async (t) => {
  const { guard, told, connect, logger } = await guardRig(t);
  const socket = await connect();
  socket.write(OPENING);
  const bytes = await readToEnd(socket);
  t.match(errorFields(bytes.subarray(5)), { S: 'FATAL', C: '28000' });
  t.same(told, ['engine ', 'listening ', 'sessions 1', 'sessions 0']);
  t.match(logger.records, [{ event: 'guard.session-ended', fields: { sqlState: '28000' } }]);
  guard.drain(true);
});

t.test('takes no session behind a drain, also where the front has connected before', async (t) => {
  const { guard, told, connect } = await guardRig(t);
  const socket = await connect();
  socket.write(OPENING.subarray(0, 10));
  await settled();
  guard.drain(false);
  socket.write(OPENING.subarray(10));
  t.equal((await readToEnd(socket)).length, 0);
  t.notMatch(told.join(), 'sessions');
  guard.drain(true);
});

t.test('waits five seconds for an opening, and takes nothing else for one', async (t) => {
  const { guard, clock, connect, told } = await guardRig(t);
  const silent = await connect();
  clock.advance(5_000);
  t.equal((await readToEnd(silent)).length, 0);
  const junk = await connect();
  junk.write('\0\0\0\x02{}');
  t.equal((await readToEnd(junk)).length, 0);
  t.notMatch(told.join(), 'sessions');
  guard.drain(true);
});

const NOBODY = { name: 'nobody', databases: ['nobody'], secrets: 1 };

t.test('lets coming logins have the secrets that it is given later, and says that it has taken them', async (t) => {
  const { guard, told, connect } = await guardRig(t);
  guard.change({ id: 1, users: [NOBODY] }, [secretOf('mock'), secretOf('pencil')]);
  t.equal(told.at(-1), 'secrets true');
  const socket = await connect();
  socket.write(OPENING);
  const bytes = await readToEnd(socket);
  t.match(errorFields(bytes.subarray(5)), { S: 'FATAL', C: '08006' }, 'it may, but no database is there');
  guard.drain(true);
});

t.test('says that it cannot use what it is given, and goes on with what it has', async (t) => {
  const { guard, told, logger } = await guardRig(t, 'verifier');
  guard.change({ id: 1, users: [NOBODY] }, [secretOf('mock'), secretOf('no verifier')]);
  t.equal(told.at(-1), 'secrets false');
  t.match(logger.records, [{ level: 'error', event: 'guard.secrets-refused' }]);
  t.notMatch(JSON.stringify(logger.records), 'no verifier');
  guard.drain(true);
});
