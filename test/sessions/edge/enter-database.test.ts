/** The edge at a real PostgreSQL: secrets in turn, each on a connection of its own, and what a challenge tells without a login. */
import { readFileSync } from 'node:fs';
import { Client } from 'pg';
import t from 'tap';
import { createAuthority } from '../../../emulator/pki/authority.ts';
import { tlsServerEndPoint } from '../../../postgres/scram/channel-binding.ts';
import { ScramClient } from '../../../postgres/scram/client.ts';
import { makeVerifier, parseVerifier } from '../../../postgres/scram/verifier.ts';
import { systemClock } from '../../../runtime/clock.ts';
import { SecretBuffer } from '../../../runtime/secret-buffer.ts';
import { databaseChallenge } from '../../../sessions/edge/database-challenge.ts';
import { enterDatabase, type LoginWay } from '../../../sessions/edge/enter-database.ts';
import { scramExchange } from '../../../sessions/edge/login.ts';
import { leave } from '../../../sessions/say-goodbye.ts';
import { seededRandom } from '../../support/seeded-random.ts';
import { startShop } from '../../support/shop-database.ts';

const secret = (text: string) => SecretBuffer.take(Buffer.from(text));
const signal = AbortSignal.timeout(60_000);
const authority = await createAuthority({ commonName: 'Database CA', clock: systemClock });
const issued = await authority.issue({ commonName: 'db.test', subjectAltNames: ['db.test'], kind: 'server' });
const postgres = await startShop(
  t,
  { name: 'app', password: 'right' },
  { certPem: issued.certificatePem, keyPem: issued.privateKeyPem },
);
const { host, port } = postgres;
const ssl = { ca: authority.certificatePem, servername: 'db.test' };
const owner = new Client({ host, port, database: 'shop', user: 'app', password: 'right', ssl });
await owner.connect();
t.teardown(() => owner.end());

const door = {
  database: {
    address: { kind: 'tcp' as const, host, port },
    serverName: 'db.test',
    caPem: authority.certificatePem,
    minTls: 'TLSv1.3' as const,
  },
  maxDatabaseMessageBytes: 1_000_000,
  clock: systemClock,
};
const startup = (database = 'shop') => ({
  minor: 0,
  parameters: new Map([
    ['user', 'app'],
    ['database', database],
  ]),
});

/** @param tried told of each that is */
function waysOf(passwords: readonly string[], tried: string[]): LoginWay[] {
  return passwords.map((password) => ({
    begin: (certificate) => {
      tried.push(password);
      const channelBinding = certificate && tlsServerEndPoint(certificate);
      return scramExchange(
        new ScramClient({ password: secret(password), random: seededRandom(password), channelBinding }),
      );
    },
    worked: () => tried.push('worked'),
  }));
}

t.test('takes the next password where the database says that one is wrong, and no further one', async (t) => {
  const tried: string[] = [];
  const { database, greeting } = await enterDatabase(door, startup(), waysOf(['old', 'right', 'third'], tried), signal);
  t.same(tried, ['old', 'right', 'worked']);
  t.equal(greeting.at(-1)?.type, 'Z');
  leave(database, systemClock);
});

t.test('rejects when the database refuses all of them, in its own words (28P01)', async (t) => {
  const tried: string[] = [];
  const error = await enterDatabase(door, startup(), waysOf(['old', 'older'], tried), signal).catch((reason) => reason);
  t.match(error, { sqlState: '28P01' });
  t.match(error.frame.toString('latin1'), 'password authentication failed for user "app"');
  t.same(tried, ['old', 'older']);
});

t.test('tries no other password where it is something else that is wrong', async (t) => {
  const tried: string[] = [];
  const error = await enterDatabase(door, startup('nowhere'), waysOf(['right', 'old'], tried), signal).catch(
    (reason) => reason,
  );
  t.match(error.frame.toString('latin1'), 'C3D000');
  t.same(tried, ['right']);
});

t.test(
  'learns salt and iterations of the verifier that the database has, and leaves no trace in its log',
  async (t) => {
    const text = await makeVerifier(secret('right'), seededRandom('verifier'), 5000);
    const verifier = text.toString();
    const reading = parseVerifier(text);
    await owner.query(`ALTER ROLE app PASSWORD '${verifier}'`);
    const before = readFileSync(postgres.logFile, 'utf8');
    const { salt, iterations } = await databaseChallenge(door, startup(), seededRandom('challenge'), signal);
    t.match(reading, { kind: 'verifier', verifier: { salt, iterations } });
    t.equal(iterations, 5000);
    const sessions = "SELECT count(*)::int AS n FROM pg_stat_activity WHERE backend_type = 'client backend'";
    const left = async () => (await owner.query(sessions)).rows[0].n;
    while ((await left()) > 1) signal.throwIfAborted();
    t.equal(readFileSync(postgres.logFile, 'utf8'), before);
  },
);

t.test('rejects a database that cannot be reached, without a word about secrets (08006)', async (t) => {
  const closed = { ...door, database: { ...door.database, serverName: 'other.test' } };
  const error = await databaseChallenge(closed, startup(), seededRandom('challenge'), signal).catch((reason) => reason);
  t.match(error, { sqlState: '08006' });
});
