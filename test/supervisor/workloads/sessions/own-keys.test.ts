/** What an identity is given of the keys in use, and what of it stays when they change. */
import { join } from 'node:path';
import t from 'tap';
import { createKeystore } from '../../../../acra/keystore/create.ts';
import { SecretBuffer } from '../../../../runtime/secret-buffer.ts';
import { OwnKeys } from '../../../../supervisor/workloads/sessions/own-keys.ts';
import { seededRandom } from '../../../support/seeded-random.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';

const key = (fill: number) => SecretBuffer.take(Buffer.alloc(32, fill));

t.test('makes the challenges of users that do not exist as before when the master key is another', async (t) => {
  const clientId = 'billing';
  const keystoreFolder = join(temporaryFolder(t), 'keystore');
  await createKeystore({
    folder: keystoreFolder,
    masterKey: key(1),
    clientIds: [clientId],
    random: seededRandom('own'),
  });
  const mockOf = async (masterKey: number, mockKey: number) => {
    const keys = {
      masterKey: key(masterKey),
      mockKey: key(mockKey),
      keystoreFolder,
      databaseSecrets: new Map(),
      keyClients: [],
    };
    using own = await OwnKeys.of(keys, { clientId, columnClients: [], users: [] });
    return own.secrets[0]?.use((bytes) => bytes.toString('hex'));
  };
  t.equal(await mockOf(1, 7), await mockOf(2, 7));
  t.not(await mockOf(1, 7), await mockOf(1, 8));
});
