/** Login and cancel at a real PostgreSQL, over its own TLS. */
import t from 'tap';
import { tlsServerEndPoint } from '../../../postgres/scram/channel-binding.ts';
import { ScramClient } from '../../../postgres/scram/client.ts';
import { encodeStartupMessage } from '../../../postgres/startup-message.ts';
import { systemRandom } from '../../../runtime/random.ts';
import { SecretBuffer } from '../../../runtime/secret-buffer.ts';
import { cancelAt } from '../../../sessions/edge/cancel.ts';
import { connectDatabase } from '../../../sessions/edge/database-connection.ts';
import { LoginRefused, logIn, scramExchange } from '../../../sessions/edge/login.ts';
import { MessageStream } from '../../../sessions/message-stream.ts';
import { client, errorFields } from '../../emulator/acra-server/support/frames.ts';
import { NEWEST_MINOR } from '../../support/database-package.ts';
import { startShop } from '../../support/shop-database.ts';
import { DATABASE_CA, DATABASE_TLS } from './support/lying-database.ts';

const PASSWORD = 'pencil';
const server = await startShop(
  t,
  { name: 'app', password: PASSWORD },
  { certPem: DATABASE_TLS.certificatePem, keyPem: DATABASE_TLS.privateKeyPem },
);
const address = { kind: 'tcp', host: server.host, port: server.port } as const;
const target = { address, serverName: 'db.test', caPem: DATABASE_CA, minTls: 'TLSv1.3' } as const;
const patient = () => AbortSignal.timeout(20_000);

async function login(minor: number, password = PASSWORD, isBound = true) {
  const socket = await connectDatabase(target, patient());
  t.teardown(() => socket.destroy());
  const leg = new MessageStream(socket, { maxBytes: 64_000 });
  socket.write(
    encodeStartupMessage({
      minor,
      parameters: new Map([
        ['user', 'app'],
        ['database', 'shop'],
      ]),
    }),
  );
  const certificate = socket.getPeerX509Certificate();
  const channelBinding = isBound && certificate ? tlsServerEndPoint(certificate) : undefined;
  const secret = SecretBuffer.take(Buffer.from(password));
  using exchange = scramExchange(new ScramClient({ password: secret, random: systemRandom, channelBinding }));
  return { leg, greeting: await logIn(leg, exchange, patient()) };
}

t.test('logs in, bound to the certificate of the database or not, with all of its greeting', async (t) => {
  for (const isBound of [true, false]) {
    const { greeting } = await login(0, PASSWORD, isBound);
    t.match(greeting.map(({ type }) => type).join(''), /^RS+KZ$/);
  }
});

t.test('passes the refusal of a wrong password on in the words of the database', async (t) => {
  const error = await login(0, 'pencils').catch((thrown: unknown) => thrown);
  t.ok(error instanceof LoginRefused);
  t.match(errorFields((error as LoginRefused).frame.subarray(5)), { S: 'FATAL', C: '28P01' });
});

for (const minor of [0, 2]) {
  t.test(`cancels a statement of protocol 3.${minor} on a connection of its own`, async (t) => {
    const { leg, greeting } = await login(minor);
    const key = greeting.find(({ type }) => type === 'K')?.body ?? Buffer.alloc(0);
    t.equal(key.length, Math.min(minor, NEWEST_MINOR) === 0 ? 8 : 36);
    const header = Buffer.from('0000000004d2162e', 'hex');
    header.writeUInt32BE(header.length + key.length);
    leg.socket.write(client.query('SELECT pg_sleep(60)').frame);
    const ended = (async () => {
      for (;;) {
        const { type, body } = await leg.next(patient());
        if (type === 'E') return errorFields(body)['C'];
        if (type === 'Z') return 'ran to its end';
      }
    })();
    const giveUp = new AbortController();
    // One that comes before the statement runs does nothing.
    const cancelling = (async () => {
      while (!giveUp.signal.aborted) await cancelAt(target, Buffer.concat([header, key]), patient());
    })();
    t.equal(await ended, '57014');
    giveUp.abort();
    await cancelling;
  });
}

t.test('is told nothing of a request to cancel that fits no session', async () => {
  await cancelAt(target, Buffer.from('0000001004d2162e0000000101020304', 'hex'), patient());
});
