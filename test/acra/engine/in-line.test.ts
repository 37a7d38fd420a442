/** An engine's values and those of acra-server in line are the same to each other, before a real PostgreSQL. */
import { randomBytes } from 'node:crypto';
import t from 'tap';
import { ENCRYPTOR_CONFIG, MASTER_KEY, startRig } from '../../emulator/acra-server/support/rig.ts';
import { PROGRAMS, startEngine } from './support/engine-rig.ts';

const TEXTS = ['a', 'ada@example.org', 'ünïcode — 漢字 🙂', "o'hara", 'x'.repeat(10_000)];
const COLUMNS = ['email', 'secret', 'blob'] as const;

t.setTimeout(120_000);

t.test('acra-server in line and as an engine', async (t) => {
  const rig = await startRig(t);
  for (const [program, { command, skip }] of Object.entries(PROGRAMS)) {
    t.test(program, { skip }, async (t) => {
      const inLine = await rig.acra({ command });
      const keystore = { folder: rig.keysFolder, masterKey: MASTER_KEY };
      const clientId = rig.clientId('alice');
      const own = await startEngine(t, { command, keystore, clientId, encryptorConfig: ENCRYPTOR_CONFIG });
      const rows = TEXTS.map((text, id) => ({ id, email: text, secret: text, blob: randomBytes(100) }));
      const insert = 'INSERT INTO person (id, email, secret, blob) VALUES ($1, $2, $3, $4)';
      const select = 'SELECT id, email, secret, blob FROM person ORDER BY id';
      await rig.direct((database) => database.query('TRUNCATE person'));

      t.test('the engine reads what was stored in line', async (t) => {
        await rig.through(inLine, async (client) => {
          for (const { id, email, secret, blob } of rows) await client.query(insert, [id, email, secret, blob]);
        });
        const stored = await rig.direct((database) => database.query(select));
        for (const name of COLUMNS) {
          const cells = stored.rows.map((row) => row[name]);
          t.same(
            await own.engine.reveal(own.column(name), cells),
            rows.map((row) => Buffer.from(row[name])),
            name,
          );
        }
      });

      t.test('what the engine made is read and found in line', async (t) => {
        await rig.direct(async (database) => {
          await database.query('TRUNCATE person');
          for (const row of rows) {
            const cells = COLUMNS.map((name) => own.engine.protect(own.column(name), Buffer.from(row[name])));
            await database.query(insert, [row.id, ...(await Promise.all(cells))]);
          }
        });
        await rig.through(inLine, async (client) => {
          t.same((await client.query(select)).rows, rows);
          for (const { id, email } of rows) {
            const found = await client.query('SELECT id FROM person WHERE email = $1', [email]);
            t.same(found.rows, [{ id }], email.slice(0, 20));
          }
        });
      });
    });
  }
});
