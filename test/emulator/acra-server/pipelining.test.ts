import t from 'tap';
import { errorFields, client as frames, rowTypes, rowValues } from './support/frames.ts';
import { rawSession } from './support/raw-client.ts';
import { startRig } from './support/rig.ts';

const rig = await startRig(t);
const acra = await rig.acra();

t.test('keeps a pipeline of refusals, failures and good statements in order', async (t) => {
  const session = await rawSession(rig.config(acra));
  t.teardown(session.end);
  const insert = 'INSERT INTO person (id, email, secret) VALUES ($1, $2, $3)';
  const select = 'SELECT secret, id FROM person WHERE email = $1';
  const received = await session.pipeline(
    [
      frames.parse('i', insert),
      frames.bind('i', ['1', 'a@x', 'first']),
      frames.execute(),
      frames.bind('i', ['2', 'b@x', 'second']),
      frames.execute(),
      frames.sync,
      frames.parse('i', 'SELECT 1'),
      frames.sync,
      frames.bind('i', ['3', 'c@x', 'third']),
      frames.execute(),
      frames.sync,
      frames.parse('', `${insert} ON CONFLICT DO NOTHING`),
      frames.bind('', ['4', 'd@x', 'never']),
      frames.execute(),
      frames.sync,
      frames.query(`INSERT INTO person (id, secret) SELECT 5, 'never'`),
      frames.parse('s', select),
      frames.describe('S', 's'),
      frames.bind('s', ['b@x']),
      frames.describe('P', ''),
      frames.execute(),
      frames.bind('s', ['c@x'], { resultFormats: [1, 0] }),
      frames.execute(),
      frames.sync,
      frames.query('SELECT id FROM person ORDER BY id'),
    ],
    7,
  );
  const shown = received.map(({ type, body }) => {
    if (type === 'E') return `E ${errorFields(body)['C']}`;
    if (type === 'T') return `T ${rowTypes(body).join(' ')}`;
    if (type === 'D') return `D ${rowValues(body).join(' ')}`;
    return type === 't' ? `t ${body.toString('hex')}` : type;
  });
  t.same(shown, [
    ...['1', '2', 'C', '2', 'C', 'Z'],
    ...['E 42P05', 'Z'],
    ...['E 0A000', 'Z'],
    ...['E 42000', 'Z'],
    ...['E 42000', 'Z'],
    ...['1', 't 000100000019', 'T secret:25 id:23', '2', 'T secret:25 id:23', 'D second 2', 'C', '2', 'C', 'Z'],
    ...['T id:23', 'D 1', 'D 2', 'C', 'Z'],
  ]);
  const again = [
    frames.bind('i', ['3', 'c@x', 'third']),
    frames.execute(),
    frames.sync,
    frames.query('SELECT secret FROM person WHERE id = 3'),
  ];
  const rows = (await session.pipeline(again, 2)).filter(({ type }) => type === 'D');
  t.same(
    rows.map(({ body }) => rowValues(body)),
    [['third']],
    'the first statement is still the one of that name',
  );
  const stored = await rig.direct((database) => database.query('SELECT secret FROM person WHERE id = 3'));
  t.match(stored.rows[0].secret.toString('latin1'), /^%%%/);
});

t.test('keeps COPY in the extended protocol in order', async (t) => {
  const session = await rawSession(rig.config(acra));
  t.teardown(session.end);
  await session.pipeline([frames.query('CREATE TEMP TABLE other (secret text)')], 1);
  const copy = session.pipeline(
    [
      frames.parse('', 'COPY other FROM STDIN'),
      frames.bind('', []),
      frames.execute(),
      frames.sync,
      frames.copyDone,
      frames.sync,
    ],
    1,
  );
  t.same(
    (await copy).map(({ type }) => type),
    ['1', '2', 'G', 'C', 'Z'],
  );
  const after = await session.pipeline(
    [frames.query('SELECT id FROM person WHERE id = 1'), frames.query('SELECT secret FROM person WHERE id = 1')],
    2,
  );
  t.same(
    after.filter(({ type }) => type === 'T').map(({ body }) => rowTypes(body)),
    [['id:23'], ['secret:25']],
  );
});
