/** Real clients against our side of the login: psql (libpq) and node-postgres, bound and unbound; and onward to a real PostgreSQL. */
import { X509Certificate } from 'node:crypto';
import { Client } from 'pg';
import t from 'tap';
import { createAuthority } from '../../../emulator/pki/authority.ts';
import { tlsServerEndPoint } from '../../../postgres/scram/channel-binding.ts';
import { ScramClient } from '../../../postgres/scram/client.ts';
import { ScramServer } from '../../../postgres/scram/server.ts';
import { makeVerifier, parseVerifier } from '../../../postgres/scram/verifier.ts';
import { systemClock } from '../../../runtime/clock.ts';
import { systemRandom } from '../../../runtime/random.ts';
import { SecretBuffer } from '../../../runtime/secret-buffer.ts';
import { askPsql, withoutPsql } from '../../support/psql.ts';
import { startShop } from '../../support/shop-database.ts';
import { DATABASE_CERTIFICATES } from './support/certificates.ts';
import { logIn } from './support/database-session.ts';
import { LOGGED_IN, startFront } from './support/tls-front.ts';

const PASSWORD = 'p\u00e4ss\u00a0w\u00f6rd \u2168';
const text = await makeVerifier(SecretBuffer.take(Buffer.from(PASSWORD)), systemRandom);
const reading = parseVerifier(text);
if (reading.kind === 'refused') throw new Error(reading.reason);
const { verifier } = reading;
const mock = { secret: SecretBuffer.take(systemRandom.bytes(32)), iterations: 4096 };

type Tls = { readonly certPem: string; readonly keyPem: string };
const tlsOf = (name: string): Tls => DATABASE_CERTIFICATES.find((each) => each.name === name)!;

async function front(
  t: { teardown(fn: () => unknown): void },
  tls: Tls,
  onClientKey?: (user: string, key: SecretBuffer) => Promise<void>,
) {
  const channelBinding = tlsServerEndPoint(new X509Certificate(tls.certPem));
  const makeServer = (user: string) =>
    new ScramServer({
      user,
      verifier: user === 'app' ? verifier : undefined,
      mock,
      random: systemRandom,
      channelBinding,
    });
  const { port, server } = await startFront({ ...tls, makeServer, ...(onClientKey && { onClientKey }) });
  t.teardown(() => server.close());
  return port;
}

/** What psql says at last. */
function psql(port: number, settings: string, password = PASSWORD): Promise<string> {
  const conninfo = `host=127.0.0.1 port=${port} dbname=shop user=app sslmode=require gssencmode=disable ${settings}`;
  return askPsql(conninfo, password, 'SELECT 1');
}

for (const name of ['ecdsa-sha512', 'pss-sha384']) {
  t.test(`lets psql in, bound to a certificate signed with ${name}`, { skip: withoutPsql }, async (t) => {
    const port = await front(t, tlsOf(name));
    t.match(await psql(port, ''), `${LOGGED_IN} SCRAM-SHA-256-PLUS`);
    t.match(await psql(port, 'channel_binding=require'), `${LOGGED_IN} SCRAM-SHA-256-PLUS`);
    t.match(await psql(port, 'channel_binding=disable'), `${LOGGED_IN} SCRAM-SHA-256`);
    t.match(await psql(port, '', 'another'), 'password authentication failed');
    t.match(await psql(port, 'user=nobody'), 'password authentication failed');
  });
}

t.test('lets psql in unbound where the certificate binds nothing', { skip: withoutPsql }, async (t) => {
  const port = await front(t, tlsOf('ed25519'));
  t.match(await psql(port, ''), new RegExp(`${LOGGED_IN} SCRAM-SHA-256$`, 'm'));
});

async function nodePostgres(port: number, enableChannelBinding: boolean): Promise<string> {
  const where = { host: '127.0.0.1', port, database: 'shop', user: 'app', password: PASSWORD };
  const client = new Client({ ...where, ssl: { rejectUnauthorized: false }, enableChannelBinding });
  client.on('error', () => undefined);
  return client.connect().then(
    () => 'no error',
    (error: Error) => error.message,
  );
}

t.test('lets node-postgres in, bound and unbound', async (t) => {
  const port = await front(t, tlsOf('ecdsa-sha512'));
  t.equal(await nodePostgres(port, true), `${LOGGED_IN} SCRAM-SHA-256-PLUS`);
  t.equal(await nodePostgres(port, false), `${LOGGED_IN} SCRAM-SHA-256`);
});

t.test('logs the client in to a database with the same verifier, bound on both ways', async (t) => {
  const authority = await createAuthority({ commonName: 'Database CA', clock: systemClock });
  const issued = await authority.issue({ commonName: 'db.test', kind: 'server' });
  const database = await startShop(
    t,
    { name: 'app', password: 'first' },
    { certPem: issued.certificatePem, keyPem: issued.privateKeyPem },
  );
  const { host, port } = database;
  const setUp = new Client({
    host,
    port,
    database: 'shop',
    user: 'app',
    password: 'first',
    ssl: { rejectUnauthorized: false },
  });
  await setUp.connect();
  await setUp.query(`ALTER ROLE app PASSWORD '${text}'`);
  await setUp.end();

  const onward: unknown[] = [];
  const frontPort = await front(t, tlsOf('ecdsa-sha512'), async (user, clientKey) => {
    const makeClient = (certificate: X509Certificate) =>
      ScramClient.fromKeys({
        ...verifier,
        clientKey,
        random: systemRandom,
        channelBinding: tlsServerEndPoint(certificate),
      });
    onward.push(await logIn(database, user, makeClient));
  });
  t.equal(await nodePostgres(frontPort, true), `${LOGGED_IN} SCRAM-SHA-256-PLUS`);
  t.match(onward, [{ mechanism: 'SCRAM-SHA-256-PLUS', isProven: true }]);
});
