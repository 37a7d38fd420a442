/** Who may come with which keys. */
import t from 'tap';
import { clientIdFromName } from '../../../../acra/client-id.ts';
import { enclaveSchema } from '../../../../config/enclave.ts';
import { SecretBuffer } from '../../../../runtime/secret-buffer.ts';
import { clientsKnownBy } from '../../../../supervisor/workloads/sessions/known-clients.ts';

const [BILLING, REPORTS] = ['CN=billing', 'CN=reports'];
const idOf = (name: string) => clientIdFromName(name, 'distinguished_name');
const secret = SecretBuffer.take(Buffer.from('pencil'));

function known(login: 'certificate' | 'client', keyClients: readonly string[], users: readonly string[]) {
  const config = enclaveSchema.parse({
    version: 1,
    name: 'records',
    database: {
      serverName: 'db.internal',
      login,
      ...(login === 'certificate' && {
        users: [
          { name: 'app', clients: [BILLING, REPORTS] },
          { name: 'audit', clients: [BILLING] },
        ],
      }),
    },
    kms: {
      keyArn: 'arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab',
      encryptionContext: { purpose: 'test' },
    },
  });
  const masterKey = SecretBuffer.take(Buffer.alloc(32));
  const databaseSecrets = new Map(users.map((user) => [user, [secret]]));
  const others = { mockKey: masterKey, keystoreFolder: '/' };
  return clientsKnownBy(config)({ masterKey, ...others, databaseSecrets, keyClients: keyClients.map(idOf) });
}

t.test('knows clients that have keys and a user of the database, and no others', async (t) => {
  const clients = known('certificate', [BILLING, 'CN=nobody'], ['app', 'audit']);
  t.same([...clients.keys()], [idOf(BILLING)]);
  t.same(
    clients.get(idOf(BILLING))?.map(({ name }) => name),
    ['app', 'audit'],
  );
});

t.test('leaves out users that these keys have no secret of, and clients that are nobody then', async (t) => {
  const clients = known('certificate', [BILLING, REPORTS], ['audit']);
  t.same([...clients.keys()], [idOf(BILLING)]);
});

t.test('knows all that have keys where they log in to the database themselves', async (t) => {
  t.same([...known('client', [BILLING, 'CN=nobody'], []).keys()], [BILLING, 'CN=nobody'].map(idOf));
});
