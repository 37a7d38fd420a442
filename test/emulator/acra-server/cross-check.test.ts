/** Either program reads what the other wrote. Runs where ACRA_SERVER names a real acra-server 0.96.0. */
import { randomBytes } from 'node:crypto';
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Client } from 'pg';
import t from 'tap';
import { createKeystore } from '../../../acra/keystore/create.ts';
import { systemRandom } from '../../../runtime/random.ts';
import { realAcraServer, withoutRealAcraServer } from '../../acra/support/real-acra-server.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { STATEMENTS } from './support/acra-statements.ts';
import { type AcraProcess, startRig } from './support/rig.ts';

const PEOPLE = [
  { id: 1, email: 'ada@example.org', secret: 'plain ascii', blob: Buffer.from('000102ff', 'hex') },
  { id: 2, email: 'zoë@example.org', secret: 'ünïcode — 漢字 🙂', blob: randomBytes(64) },
  { id: 3, email: 'long@example.org', secret: 'x'.repeat(10_000), blob: randomBytes(100_000) },
  { id: 4, email: "o'hara@example.org", secret: `it's a 'quoted' %%% """" value`, blob: Buffer.from('%%%""""') },
  { id: 5, email: '', secret: '', blob: Buffer.alloc(0) },
  { id: 6, email: null, secret: null, blob: null },
];

t.setTimeout(180_000);

const realCommand = { program: realAcraServer, args: [] };

if (withoutRealAcraServer) t.comment(withoutRealAcraServer);

t.test('the stand-in and the real acra-server', { skip: withoutRealAcraServer }, async (t) => {
  const rig = await startRig(t);
  const programs: Record<string, AcraProcess> = {
    'the stand-in': await rig.acra(),
    'acra-server': await rig.acra({ command: realCommand }),
  };
  const literal = (value: string | Buffer | null) => {
    if (value === null) return 'NULL';
    return Buffer.isBuffer(value) ? `'\\x${value.toString('hex')}'` : `'${value.replaceAll("'", "''")}'`;
  };

  /** Whether the statement gets past the program; what the database thinks of it does not matter. */
  const accepts = (program: AcraProcess, sql: string) =>
    rig
      .through(program, (client) => client.query(`BEGIN; ROLLBACK`).then(() => client.query(sql)))
      .then(
        () => true,
        (error) => !/^refused/.test(error.message),
      );
  /** Whether the database got to see the plaintext. */
  const sees = (watcher: Client, program: AcraProcess, sql: string) =>
    rig.through(program, async (client) => {
      const {
        rows: [backend],
      } = await client.query('SELECT pg_backend_pid() AS pid');
      await client.query('BEGIN');
      await client.query(sql).catch(() => undefined);
      const {
        rows: [activity],
      } = await watcher.query('SELECT query FROM pg_stat_activity WHERE pid = $1', [backend.pid]);
      await client.query('ROLLBACK').catch(() => undefined);
      return activity.query.includes('plaintext');
    });

  for (const [writer, written] of Object.entries(programs)) {
    for (const [reader, read] of Object.entries(programs)) {
      t.test(`keeps what ${writer} wrote readable and searchable for ${reader}`, async (t) => {
        await rig.direct((database) => database.query('TRUNCATE person'));
        await rig.through(written, async (client) => {
          for (const { id, email, secret, blob } of PEOPLE) {
            const text = 'INSERT INTO person (id, email, secret, blob) VALUES ($1, $2, $3, $4)';
            await client.query(text, [id, email, secret, blob]);
            const values = [id + 100, literal(email), literal(secret), literal(blob)];
            await client.query(`INSERT INTO person (id, email, secret, blob) VALUES (${values.join(', ')})`);
          }
        });
        await rig.through(read, async (client) => {
          const select = 'SELECT id, email, secret, blob FROM person';
          const { rows } = await client.query(`${select} ORDER BY id`);
          // acra-server sends an empty bytea without its prefix; node-postgres takes both for no bytes.
          t.same(rows, [...PEOPLE, ...PEOPLE.map((person) => ({ ...person, id: person.id + 100 }))]);
          for (const { id, email } of PEOPLE.filter((person) => person.email)) {
            const found = await client.query(`${select} WHERE email = $1 ORDER BY id`, [email]);
            t.same(
              found.rows.map((row) => row.id),
              [id, id + 100],
            );
            const again = await client.query(`${select} WHERE email = ${literal(email)} ORDER BY id`);
            t.same(again.rows, found.rows);
          }
        });
      });
    }
  }

  t.test('refuses every statement in which acra-server would send the plaintext', async (t) => {
    const reached: string[] = [];
    let passedCount = 0;
    await rig.direct(async (watcher) => {
      for (const sql of STATEMENTS) {
        const isPassed = await accepts(programs['the stand-in']!, sql);
        passedCount += isPassed ? 1 : 0;
        const isPlain = isPassed && (await sees(watcher, programs['acra-server']!, sql));
        if (isPlain) reached.push(sql);
      }
    });
    t.same(reached, []);
    t.ok(passedCount > STATEMENTS.length / 3, 'and passes on many');
  });

  t.test('ends both with code 1 and log code 101 at the same poison record', async (t) => {
    const record = await rig.poisonRecord();
    await rig.direct((database) => database.query('TRUNCATE person'));
    await rig.direct((database) => database.query('INSERT INTO person (id, secret) VALUES (1, $1)', [record]));
    for (const command of [undefined, realCommand]) {
      const program = await rig.acra({ poisonDetection: true, ...(command ? { command } : {}) });
      await t.rejects(rig.through(program, (client) => client.query('SELECT * FROM person')));
      t.equal(await program.ended, 1);
      t.match(program.log(), /"code":101,[^\n]*"Detected poison record, exit"/);
    }
  });

  t.test('keeps both from reading rows of another client', async (t) => {
    await rig.direct((database) => database.query('TRUNCATE person'));
    await rig.through(programs['acra-server']!, (client) =>
      client.query(`INSERT INTO person (id, secret) VALUES (1, 'of alice')`),
    );
    const seen = await rig.through(
      programs['the stand-in']!,
      (client) => client.query('SELECT secret FROM person'),
      'bob',
    );
    t.match(seen.rows[0].secret, /^%%%/);
  });

  t.test('holds every key of a large keystore from the start, so that none is read while serving', async (t) => {
    const folder = join(temporaryFolder(t), 'keys');
    const strangers = Array.from({ length: 600 }, (_, index) => `stranger-${index}`);
    const clientIds = [rig.clientId('alice'), ...strangers];
    await createKeystore({ folder, masterKey: rig.masterKey(), clientIds, random: systemRandom });
    t.ok(readdirSync(folder).length > 1000);
    const program = await rig.acra({ command: realCommand, moreArguments: [`--keys_dir=${folder}`] });
    rmSync(folder, { recursive: true });
    await rig.direct((database) => database.query('TRUNCATE person'));
    await rig.through(program, async (client) => {
      await client.query('INSERT INTO person (id, email, secret) VALUES (1, $1, $2)', ['a@x', 'kept']);
      const { rows } = await client.query('SELECT secret FROM person WHERE email = $1', ['a@x']);
      t.same(rows, [{ secret: 'kept' }]);
    });
    const { rows } = await rig.direct((database) => database.query('SELECT secret FROM person'));
    t.match(rows[0].secret.toString('latin1'), /^%%%/);
  });
});
