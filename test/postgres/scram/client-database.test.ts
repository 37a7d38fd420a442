/** The client against a real PostgreSQL: bound to its TLS, with passwords that SASLprep changes, and with ClientKey alone. */

import type { X509Certificate } from 'node:crypto';
import { join } from 'node:path';
import { Client } from 'pg';
import t from 'tap';
import { createAuthority } from '../../../emulator/pki/authority.ts';
import { startPostgres } from '../../../emulator/postgres/server.ts';
import { tlsServerEndPoint } from '../../../postgres/scram/channel-binding.ts';
import { ScramClient } from '../../../postgres/scram/client.ts';
import { systemClock } from '../../../runtime/clock.ts';
import { systemRandom } from '../../../runtime/random.ts';
import { SecretBuffer } from '../../../runtime/secret-buffer.ts';
import { DATABASE_PACKAGE } from '../../support/database-package.ts';
import { DATABASE_TEMPLATES } from '../../support/database-templates.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { DATABASE_CERTIFICATES } from './support/certificates.ts';
import { logIn } from './support/database-session.ts';
import { PASSWORD, rejectsLogin } from './support/refusals.ts';

const PLAIN = 'SCRAM-SHA-256';
const PLUS = 'SCRAM-SHA-256-PLUS';

const authority = await createAuthority({ commonName: 'Database CA', clock: systemClock });
const { certificatePem: certPem, privateKeyPem: keyPem } = await authority.issue({
  commonName: 'db.test',
  kind: 'server',
});
const folder = join(temporaryFolder(t), 'postgres');

function startWith(tls: { certPem: string; keyPem: string }) {
  const users = ['app', 'changing'].map((name) => ({ name, password: PASSWORD }));
  const signal = AbortSignal.timeout(60_000);
  const how = { durable: false, templates: DATABASE_TEMPLATES, packageFolder: DATABASE_PACKAGE };
  return startPostgres({ folder, tls, users, database: 'shop', ...how, signal });
}

const server = await startWith({ certPem, keyPem });
t.teardown(() => server.stop());

type Binding = (certificate: X509Certificate) => Buffer | undefined;

function withPassword(password: string | Buffer, binding: Binding = tlsServerEndPoint) {
  return (certificate: X509Certificate) =>
    new ScramClient({
      password: SecretBuffer.take(Buffer.from(password)),
      random: systemRandom,
      channelBinding: binding(certificate),
    });
}

t.test('logs in bound to the certificate of the database, and proves both', async (t) => {
  t.same(await logIn(server, 'app', withPassword(PASSWORD)), {
    offered: [PLUS, PLAIN],
    mechanism: PLUS,
    isProven: true,
  });
});

t.test('logs in unbound without data to bind to', async (t) => {
  const outcome = await logIn(
    server,
    'app',
    withPassword(PASSWORD, () => undefined),
  );
  t.same(outcome, { offered: [PLUS, PLAIN], mechanism: PLAIN, isProven: true });
});

t.test('is refused by the database when bound to another certificate (28000)', async () => {
  await rejectsLogin(
    () =>
      logIn(
        server,
        'app',
        withPassword(PASSWORD, () => Buffer.alloc(32)),
      ),
    '28000',
  );
});

t.test('is refused by the database with another password (28P01)', async () => {
  await rejectsLogin(() => logIn(server, 'app', withPassword('pencils')), '28P01');
});

/** Each in a form that another one stands for, or that SASLprep refuses, or PostgreSQL does not see to. */
const PASSWORDS: readonly (readonly [what: string, password: string, alias?: string])[] = [
  ['composed and decomposed letters', 'pa\u00dfw\u00f6rd', 'pa\u00dfwo\u0308rd'],
  ['a compatibility character', '\u2168 nine', 'IX nine'],
  ['spaces beyond ASCII', 'two\u00a0words', 'two words'],
  ['a zero-width space, a space for PostgreSQL', 'two\u200bwords', 'two words'],
  ['what is mapped to nothing', 'soft\u00adhyphen', 'softhyphen'],
  ['nothing but what is mapped to nothing', '\u00ad\u2060'],
  ['letters from right to left', '\u05d0\u05d1 \u05d2'],
  ['both directions, hashed as it is', '\u05d0a'],
  ['a letter from right to left before a digit, hashed as it is', '\u06271'],
  ['a control character, hashed as it is', 'bell\u0007\u00e9'],
  ['what Unicode 3.2 did not know, hashed as it is', '\u{1f511}key\u00e9\u0301'],
  ['an unassigned character that would become assigned ones, hashed as it is', '\u{1f100}\u2168'],
  ['a prohibited character that would become an allowed one, hashed as it is', 'a\u0340'],
  ['characters beyond the first plane', '\u{20000}\u{1d400}', '\u{20000}A'],
];
t.test('derives what PostgreSQL derives of each password', async (t) => {
  const { host, port, database } = server;
  const ssl = { rejectUnauthorized: false };
  const session = new Client({ host, port, database, user: 'changing', password: PASSWORD, ssl });
  await session.connect();
  try {
    for (const [what, password, alias = password] of PASSWORDS) {
      await session.query(`ALTER ROLE changing PASSWORD '${password}'`);
      t.match(await logIn(server, 'changing', withPassword(password)), { isProven: true }, what);
      t.match(await logIn(server, 'changing', withPassword(alias)), { isProven: true }, `${what}, in its other form`);
    }
  } finally {
    await session.end();
  }
});

t.test('logs in to databases with certificates of other signatures', async (t) => {
  await server.stop();
  for (const { name, ...tls } of DATABASE_CERTIFICATES) {
    const database = await startWith(tls);
    try {
      const mechanism = name === 'ed25519' ? PLAIN : PLUS;
      t.same(
        await logIn(database, 'app', withPassword(PASSWORD)),
        { offered: [PLUS, PLAIN], mechanism, isProven: true },
        name,
      );
    } finally {
      await database.stop();
    }
  }
});
