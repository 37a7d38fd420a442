/**
 * What acra-server does with keys that were rotated, and that the stand-in does the same (acra-server contract 2.8). The real one runs
 * where ACRA_SERVER names it.
 */
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { clientKeyIds } from '../../../acra/keystore/key-ids.ts';
import { clientKeyFile } from '../../../acra/keystore/layout.ts';
import { rotateKeys } from '../../../acra/keystore/rotate.ts';
import { systemRandom } from '../../../runtime/random.ts';
import { PROGRAMS } from '../../acra/engine/support/engine-rig.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { ENCRYPTOR_CONFIG, startRig } from './support/rig.ts';

t.setTimeout(180_000);

const rig = await startRig(t);
const alice = rig.clientId('alice');

/** The rig's own keystore with alice's keys rotated so many times. */
async function rotated(t: Test, times = 1): Promise<string> {
  const parent = temporaryFolder(t);
  let folder = rig.keysFolder;
  for (let round = 1; round <= times; round += 1) {
    const newFolder = join(parent, `round-${round}`);
    const common = { masterKey: rig.masterKey(), clientIds: [alice], random: systemRandom };
    await rotateKeys({ ...common, folder, newFolder, nowMs: Date.now() });
    folder = newFolder;
  }
  return folder;
}

/** Ids in the containers of column secret, by row. */
async function idsStored(): Promise<readonly string[]> {
  const { rows } = await rig.direct((database) => database.query('SELECT secret FROM person ORDER BY id'));
  return rows.map(({ secret }) => secret.subarray(25, 27).toString('hex'));
}

async function idsOf(folder: string) {
  const [ids] = await clientKeyIds({ folder, masterKey: rig.masterKey(), clientIds: [alice] });
  return { current: ids?.current ?? '', old: ids?.old ?? [] };
}

function damaged(file: string): Buffer {
  const bytes = readFileSync(file);
  bytes.writeUInt8(bytes.readUInt8(bytes.length - 1) ^ 1, bytes.length - 1);
  return bytes;
}

const WRITE = 'INSERT INTO person (id, email, secret) VALUES ($1, $2, $3)';
const READ = 'SELECT id, email, secret FROM person ORDER BY id';

for (const [program, { command, skip }] of Object.entries(PROGRAMS)) {
  t.test(program, { skip }, async (t) => {
    const start = (keys: string) => rig.acra({ command, moreArguments: [`--keys_dir=${keys}`] });
    const before = await start(rig.keysFolder);
    /** Rows 1 to `count`, under the keys before. */
    const fill = (count: number) =>
      rig.through(before, async (client) => {
        await client.query('TRUNCATE person');
        for (let id = 1; id <= count; id += 1) await client.query(WRITE, [id, `${id}@x`, `secret ${id}`]);
      });

    t.test(
      'opens and finds what is under a key that was rotated out, however often, and encrypts with the current one',
      async (t) => {
        await fill(2);
        const keys = await rotated(t, 3);
        const ids = await idsOf(keys);
        const old = await idsOf(rig.keysFolder);
        t.equal(ids.old.length, 3);
        await rig.through(await start(keys), async (client) => {
          await client.query(WRITE, [3, '3@x', 'secret 3']);
          const { rows } = await client.query(READ);
          t.same(
            rows,
            [1, 2, 3].map((id) => ({ id, email: `${id}@x`, secret: `secret ${id}` })),
          );
          t.same((await client.query('SELECT id FROM person WHERE email = $1', ['2@x'])).rows, [{ id: 2 }]);
          await client.query('UPDATE person SET secret = $1 WHERE id = 1', ['again']);
        });
        t.same(await idsStored(), [ids.current, old.current, ids.current]);
      },
    );

    t.test('keeps a container that it is given, of an old key too: stored bytes are not encrypted anew', async (t) => {
      await fill(1);
      const keys = await rotated(t);
      const { rows } = await rig.direct((database) => database.query('SELECT secret FROM person'));
      await rig.through(await start(keys), (client) => client.query(WRITE, [2, '2@x', rows[0].secret]));
      const [first, second] = await idsStored();
      t.equal(second, first);
    });

    t.test('shows as it is stored what is under a key that is gone', async (t) => {
      await fill(1);
      const keys = await rotated(t);
      const { path } = clientKeyFile(alice, 'storage-symmetric');
      rmSync(join(keys, `${path}.old`), { recursive: true });
      const { rows } = await rig.through(await start(keys), (client) => client.query('SELECT secret FROM person'));
      t.match(rows[0].secret, /^%%%/);
    });

    t.test('neither finds nor opens a searchable value whose search key was rotated', async (t) => {
      await fill(1);
      const keys = join(temporaryFolder(t), 'keys');
      cpSync(rig.keysFolder, keys, { recursive: true });
      const { path } = clientKeyFile(alice, 'search-hmac');
      // Another key of the client's: a search key is 32 random bytes as well.
      const other = readFileSync(join(keys, clientKeyFile(alice, 'storage-symmetric').path));
      mkdirSync(join(keys, `${path}.old`), { mode: 0o700 });
      cpSync(join(keys, path), join(keys, `${path}.old/2026-11-30T00:00:00`));
      writeFileSync(join(keys, path), other);
      await rig.through(await start(keys), async (client) => {
        const { rows } = await client.query('SELECT email, secret FROM person');
        t.equal(rows[0].secret, 'secret 1');
        t.not(rows[0].email, '1@x', 'the old search key is not tried');
        t.same((await client.query('SELECT id FROM person WHERE email = $1', ['1@x'])).rows, []);
      });
    });

    t.test('does not start with a rotated symmetric key that is damaged', async (t) => {
      const keys = await rotated(t);
      const { path } = clientKeyFile(alice, 'storage-symmetric');
      writeFileSync(join(keys, `${path}.old/2026-01-01T00:00:00`), damaged(join(keys, path)));
      const ended = await rig.launch({ command, moreArguments: [`--keys_dir=${keys}`] }).ended;
      t.equal(ended, 1);
    });
  });
}

const real = PROGRAMS['acra-server'];

t.test(
  'acra-server opens an AcraStruct with a rotated key pair, and looks at it then only',
  { skip: real?.skip ?? false },
  async (t) => {
    const command = real?.command;
    const folder = temporaryFolder(t);
    const config = join(folder, 'encryptor.yaml');
    writeFileSync(
      config,
      ENCRYPTOR_CONFIG.replace('column: blob', 'column: blob\n        crypto_envelope: acrastruct'),
    );
    const start = (keys: string) =>
      rig.acra({
        ...(command && { command }),
        moreArguments: [`--keys_dir=${keys}`, `--encryptor_config_file=${config}`],
      });
    const blob = Buffer.from('in a struct');
    await rig.through(await start(rig.keysFolder), async (client) => {
      await client.query('TRUNCATE person');
      await client.query('INSERT INTO person (id, blob) VALUES (1, $1)', [blob]);
    });
    const read = (keys: string) =>
      start(keys).then((program) => rig.through(program, (client) => client.query('SELECT blob FROM person')));
    const keys = await rotated(t);
    t.same((await read(keys)).rows, [{ blob }]);
    const { path } = clientKeyFile(alice, 'storage-private');
    writeFileSync(join(keys, `${path}.old/2026-01-01T00:00:00`), damaged(join(keys, path)), { mode: 0o600 });
    t.notSame(
      (await read(keys)).rows,
      [{ blob }],
      'one that is damaged is noticed when it is needed, and spoils the others',
    );
    rmSync(join(keys, `${path}.old`), { recursive: true });
    t.notSame((await read(keys)).rows, [{ blob }], 'without the old pair it does not open');
  },
);
