/** Columns of tokens before the guard: what the database gets, what clients read, and what is refused. acra-server, or the stand-in, keeps tokens in its memory here. */
import t, { type Test } from 'tap';
import { startTokenPlace, TYPES, type TypeName, VALUES } from './support/token-place.ts';

const NAMES = Object.keys(TYPES) as TypeName[];
const list = NAMES.join(', ');
const places = NAMES.map((_, at) => `$${at + 2}`).join(', ');
const INSERT = `INSERT INTO people (id, ${list}) VALUES ($1, ${places})`;
const literal = (name: TypeName) => {
  const { value } = TYPES[name];
  return typeof value === 'number'
    ? String(value)
    : `'${Buffer.isBuffer(value) ? `\\x${value.toString('hex')}` : value}'`;
};
const LITERALS = NAMES.map(literal).join(', ');

t.test('tokens before the guard', async (t) => {
  const place = await startTokenPlace(t);
  const { client, owner, codeOf } = place;

  async function requireTokens(t: Test, id: number): Promise<void> {
    const stored = (await owner.query('SELECT * FROM people WHERE id = $1', [id])).rows[0];
    const read = (await client.query('SELECT * FROM people WHERE id = $1', [id])).rows[0];
    for (const name of NAMES) {
      const { value, form } = TYPES[name];
      t.notSame(stored[name], value, `${name} is no plaintext`);
      t.match(
        Buffer.isBuffer(stored[name]) ? stored[name].toString('hex') : String(stored[name]),
        form,
        `${name} has its form`,
      );
      t.same(read[name], value, `${name} is read back`);
    }
  }

  const writes: Readonly<Record<string, (id: number) => Promise<unknown>>> = {
    'parameters in text': (id) => client.query(INSERT, [id, ...VALUES]),
    'parameters in binary': (id) => client.query(INSERT, [id, ...place.binaryValues]),
    literals: (id) => client.query(`INSERT INTO people (id, ${list}) VALUES (${id}, ${LITERALS})`),
    'literals with their casts': (id) =>
      client.query(
        `INSERT INTO people (id, ${list}) VALUES (${id}, ${NAMES.map((name) => `${literal(name)}::${TYPES[name].sql}`).join(', ')})`,
      ),
    'VALUES of another query': (id) =>
      client.query(
        `INSERT INTO people (id, ${list}) SELECT * FROM (VALUES (${id}, ${LITERALS})) AS given (id, ${list})`,
      ),
    'UPDATE by parameters': async (id) => {
      await client.query('INSERT INTO people (id) VALUES ($1)', [id]);
      await client.query(
        `UPDATE people SET ${NAMES.map((name, at) => `${name} = $${at + 2}`).join(', ')} WHERE id = $1`,
        [id, ...VALUES],
      );
    },
    'ON CONFLICT DO UPDATE': async (id) => {
      await client.query('INSERT INTO people (id) VALUES ($1)', [id]);
      const set = NAMES.map((name) => `${name} = excluded.${name}`).join(', ');
      await client.query(`${INSERT} ON CONFLICT (id) DO UPDATE SET ${set}`, [id, ...VALUES]);
    },
    PREPARE: async (id) => {
      const types = NAMES.map((name) => TYPES[name].sql).join(', ');
      await client.query(`PREPARE p${id} (int, ${types}) AS ${INSERT}`);
      await client.query(`EXECUTE p${id} (${id}, ${LITERALS})`);
    },
    'COPY in text': (id) =>
      place.copyIn(`COPY people (id, ${list}) FROM STDIN`, `${[id, ...place.copyTexts].join('\t')}\n`),
    'COPY in CSV': (id) =>
      place.copyIn(`COPY people (id, ${list}) FROM STDIN (FORMAT csv)`, `${[id, ...place.csvTexts].join()}\n`),
    'COPY in binary': (id) => place.copyIn(`COPY people (id, ${list}) FROM STDIN (FORMAT binary)`, place.binaryRow(id)),
  };
  let id = 100;
  for (const [how, write] of Object.entries(writes)) {
    id += 1;
    const own = id;
    await t.test(`exchanges values of all types that are written by ${how}`, async (t) => {
      await write(own);
      await requireTokens(t, own);
      for (const secret of place.secrets)
        t.notOk(place.guarded.heard().includes(secret), 'nothing in plaintext reached the database');
    });
  }

  await t.test('keeps NULL and what is empty as they are', async (t) => {
    await client.query('INSERT INTO people (id, word, bytes, number) VALUES (1, $1, $2, NULL)', ['', Buffer.alloc(0)]);
    const { rows } = await client.query('SELECT word, bytes, number, long FROM people WHERE id = 1');
    t.same(rows, [{ word: '', bytes: Buffer.alloc(0), number: null, long: null }]);
  });

  await t.test('reads tokens back by binary results, cursors, RETURNING and COPY', async (t) => {
    const binary = { text: `SELECT ${list} FROM people WHERE id = 101`, rowMode: 'array' as const, binary: true };
    const [row] = (await client.query(binary)).rows;
    for (const [at, name] of NAMES.entries()) t.same(row?.[at], TYPES[name].value, name);
    await client.query('BEGIN; DECLARE c CURSOR FOR SELECT word, number FROM people WHERE id = 101');
    t.same((await client.query('FETCH ALL FROM c')).rows, [{ word: 'Beate', number: 4711 }]);
    await client.query('COMMIT');
    const returned = await client.query(
      "INSERT INTO people (id, word) VALUES (2, 'Carla') RETURNING word, upper('x') AS x",
    );
    t.same(returned.rows, [{ word: 'Carla', x: 'X' }]);
    const copied = await place.copyOut(`COPY (SELECT ${list} FROM people WHERE id = 101) TO STDOUT`);
    t.equal(copied, `${place.copyTexts.join('\t')}\n`);
    t.equal(
      await place.copyOut('COPY (SELECT word, number FROM people WHERE id = 101) TO STDOUT (FORMAT csv)'),
      'Beate,4711\n',
    );
  });

  await t.test('finds equal values of consistent tokens, in every form of equality', async (t) => {
    const found = async (where: string, ...values: unknown[]) =>
      (await client.query(`SELECT count(*)::int AS n FROM people WHERE id > 100 AND id < 112 AND ${where}`, values))
        .rows[0].n;
    for (const name of NAMES) {
      t.equal(await found(`${name} = $1`, TYPES[name].value), 11, `${name} = $1`);
      t.equal(await found(`${name} = ${literal(name)}`), 11, `${name} = literal`);
      t.equal(await found(`${name} = ANY ($1::${TYPES[name].sql}[])`, [TYPES[name].value]), 11, `${name} = ANY`);
    }
    t.equal(await found("word IN ('Beate', 'Carla')"), 11);
    t.equal(await found("word <> 'Carla'"), 11);
    t.equal(await found("word = ANY ('{Beate}')"), 11);
    t.equal(await found("word IS NOT DISTINCT FROM 'Beate'"), 11);
    t.equal(await found("word = 'Nobody'"), 0);
    t.equal(await found('word IN (SELECT DISTINCT word FROM people WHERE id = 101)'), 11);
    t.equal(await found('EXISTS (SELECT FROM people p WHERE p.word = people.word AND p.id = 101)'), 11);
    t.equal(await found('(number, word) = ($1, $2)', 4711, 'Beate'), 11);
  });

  await t.test('finds conflicts of consistent tokens by an index on the column itself', async (t) => {
    await owner.query('CREATE TABLE unique_words (word text UNIQUE, random text)');
    for (const random of ['one', 'two']) {
      await client.query(
        'INSERT INTO unique_words (word, random) VALUES ($1, $2) ON CONFLICT (word) DO UPDATE SET random = excluded.random',
        ['Beate', random],
      );
    }
    t.same((await client.query('SELECT word, random FROM unique_words')).rows, [{ word: 'Beate', random: 'two' }]);
    t.equal(await codeOf("INSERT INTO unique_words (random) VALUES ('x') ON CONFLICT (random) DO NOTHING"), '0A000');
  });

  for (const [what, sql] of Object.entries({
    'a comparison of tokens that are not consistent': "SELECT 1 FROM unique_words WHERE random = 'one'",
    'a comparison by order': "SELECT 1 FROM people WHERE word > 'a'",
    'a comparison by pattern': "SELECT 1 FROM people WHERE word LIKE 'B%'",
    'a comparison of integers by order': 'SELECT 1 FROM people WHERE number < 5',
    'a comparison with tokens of another type': 'SELECT 1 FROM people WHERE word = email',
    'an expression': 'SELECT number + 1 FROM people',
    'a function': 'SELECT upper(word) FROM people',
    'an aggregate': 'SELECT max(number) FROM people',
    'a cast to another type': 'SELECT number::text FROM people',
    'an order': 'SELECT id FROM people ORDER BY word',
    'a group': 'SELECT count(*) FROM people GROUP BY word',
    'a value that the database makes': "INSERT INTO people (id, word) VALUES (9, 'a' || 'b')",
    'one column in another': 'UPDATE people SET word = email',
    'a copy into a new table': 'CREATE TABLE copied AS SELECT word FROM people',
    'a default': "ALTER TABLE people ALTER word SET DEFAULT 'x'",
    'an index over tokens that are not consistent': 'CREATE INDEX ON unique_words (random)',
  })) {
    await t.test(`rejects ${what} (0A000)`, async (t) => {
      t.equal(await codeOf(sql), '0A000');
    });
  }

  for (const [what, sql, code] of [
    ['an integer out of range', 'INSERT INTO people (id, number) VALUES (9, 2147483648)', '22003'],
    ['what is no integer', "INSERT INTO people (id, number) VALUES (9, 'x')", '22P02'],
    ['an email that acra-server ends over', "INSERT INTO people (id, email) VALUES (9, 'a@')", '22003'],
    [
      'a value that holds a container',
      `INSERT INTO people (id, bytes) VALUES (9, '\\x${place.container.toString('hex')}')`,
      '22023',
    ],
  ] as const) {
    await t.test(`rejects ${what} (${code})`, async (t) => {
      t.equal(await codeOf(sql), code);
    });
  }

  await t.test(
    'rejects to read what is no token of this client, and gives it who asks for what is stored (58000)',
    async (t) => {
      await owner.query("INSERT INTO people (id, word, number) VALUES (20, 'plain', 20)");
      t.equal(await codeOf('SELECT word FROM people WHERE id = 20'), '58000');
      t.equal(await codeOf('SELECT number FROM people WHERE id = 20'), '58000');
      await t.rejects(place.copyOut('COPY (SELECT word FROM people WHERE id = 20) TO STDOUT'), { code: '58000' });
      t.same((await client.query('SELECT id FROM people WHERE id = 20')).rows, [{ id: 20 }], 'the session goes on');
      const asStored = await place.guarded.connect('-c acra_enclave.protected=stored');
      t.same((await asStored.query('SELECT word FROM people WHERE id = 20')).rows, [{ word: 'plain' }]);
      await t.rejects(asStored.query("INSERT INTO people (id, word) VALUES (21, 'x')"), { code: '0A000' });
      await t.rejects(asStored.query("SELECT 1 FROM people WHERE word = 'x'"), { code: '0A000' });
    },
  );

  await t.test('rejects a container in the place of a token, which acra-server would open (58000)', async (t) => {
    await owner.query('INSERT INTO people (id, bytes) VALUES (30, $1)', [place.container]);
    t.equal(await codeOf('SELECT bytes FROM people WHERE id = 30'), '58000');
  });

  await t.test(
    'rejects rows whose columns are others than the configuration has, where a token would look like a value (58000)',
    async (t) => {
      await owner.query('ALTER TABLE unique_words ADD COLUMN more int');
      t.equal(await codeOf('SELECT * FROM unique_words'), '58000');
      t.equal((await client.query('SELECT word FROM unique_words')).rows[0].word, 'Beate');
      await owner.query('ALTER TABLE unique_words ALTER word TYPE bytea USING NULL');
      t.equal(await codeOf('SELECT word FROM unique_words'), '58000');
    },
  );
});
