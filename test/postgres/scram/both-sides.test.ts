/** Client and server of ours with each other: any password, salt and binding, and the way of ClientKey through the front. */
import fc from 'fast-check';
import t from 'tap';
import { ScramClient } from '../../../postgres/scram/client.ts';
import { ScramServer } from '../../../postgres/scram/server.ts';
import type { ScramVerifier } from '../../../postgres/scram/verifier.ts';
import { makeVerifier, parseVerifier } from '../../../postgres/scram/verifier.ts';
import { SecretBuffer } from '../../../runtime/secret-buffer.ts';
import { seededRandom } from '../../support/seeded-random.ts';
import { rejectsLogin } from './support/refusals.ts';

const mock = { secret: SecretBuffer.take(seededRandom('mock').bytes(32)), iterations: 4096 };

async function verifierOf(password: string, seed: string): Promise<ScramVerifier> {
  const reading = parseVerifier(await makeVerifier(SecretBuffer.take(Buffer.from(password)), seededRandom(seed)));
  if (reading.kind === 'refused') throw new Error(reading.reason);
  return reading.verifier;
}

async function exchange(client: ScramClient, server: ScramServer): Promise<SecretBuffer> {
  const { mechanism, initialResponse } = client.start(server.mechanisms);
  const { serverFinal, clientKey } = server.finish(await client.continue(server.start(mechanism, initialResponse)));
  client.finish(serverFinal);
  return clientKey;
}

const bindings = fc.option(
  fc.uint8Array({ minLength: 32, maxLength: 64 }).map((bytes) => Buffer.from(bytes)),
  { nil: undefined },
);

t.test('logs in with any password and binding, and with ClientKey to whoever has the same verifier', async (t) => {
  await fc.assert(
    fc.asyncProperty(fc.string({ unit: 'grapheme' }), bindings, bindings, async (password, front, database) => {
      const verifier = await verifierOf(password, 'verifier');
      const common = { user: 'app', verifier, mock, random: seededRandom('server') };
      const random = seededRandom('client');
      const secret = SecretBuffer.take(Buffer.from(password));
      const client = new ScramClient({ password: secret, random, channelBinding: front });
      const clientKey = await exchange(client, new ScramServer({ ...common, channelBinding: front }));
      const onward = ScramClient.fromKeys({ ...verifier, clientKey, random, channelBinding: database });
      await exchange(onward, new ScramServer({ ...common, channelBinding: database }));
      return client.isProven && onward.isProven;
    }),
    { seed: 1, numRuns: 30 },
  );
  t.pass();
});

t.test('logs nobody in through somebody in between who shows another certificate (28000)', async () => {
  const verifier = await verifierOf('pencil', 'verifier');
  const server = new ScramServer({
    user: 'app',
    verifier,
    mock,
    random: seededRandom('server'),
    channelBinding: Buffer.alloc(32, 1),
  });
  const password = SecretBuffer.take(Buffer.from('pencil'));
  const client = new ScramClient({ password, random: seededRandom('client'), channelBinding: Buffer.alloc(32, 2) });
  await rejectsLogin(() => exchange(client, server), '28000');
});

t.test('lets nobody in who was told that the server cannot bind (28000)', async () => {
  const verifier = await verifierOf('pencil', 'verifier');
  const channelBinding = Buffer.alloc(32, 1);
  const server = new ScramServer({ user: 'app', verifier, mock, random: seededRandom('server'), channelBinding });
  const password = SecretBuffer.take(Buffer.from('pencil'));
  const client = new ScramClient({ password, random: seededRandom('client'), channelBinding });
  const { mechanism, initialResponse } = client.start(['SCRAM-SHA-256']);
  await rejectsLogin(() => server.start(mechanism, initialResponse), '28000');
});

t.test('gives ClientKey of one verifier no way past another of the same password (28P01)', async () => {
  const [verifier, changed] = await Promise.all([verifierOf('pencil', 'verifier'), verifierOf('pencil', 'changed')]);
  const common = { user: 'app', mock, random: seededRandom('server'), channelBinding: undefined };
  const random = seededRandom('client');
  const password = SecretBuffer.take(Buffer.from('pencil'));
  const clientKey = await exchange(
    new ScramClient({ password, random, channelBinding: undefined }),
    new ScramServer({ ...common, verifier }),
  );
  const onward = ScramClient.fromKeys({ ...verifier, clientKey, random, channelBinding: undefined });
  await rejectsLogin(() => exchange(onward, new ScramServer({ ...common, verifier: changed })), '28P01');
});
