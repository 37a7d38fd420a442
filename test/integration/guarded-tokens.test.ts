/** Tokenized columns behind the guard: acra-server exchanges single values, and nothing goes to the database while it cannot. */
import t from 'tap';
import { connectThroughEnclave } from '../../cli/demo/clients.ts';
import { withoutRealAcraServer } from '../acra/support/real-acra-server.ts';
import { acraPid, logLines, step } from '../support/stack.ts';
import { withoutRedis } from './support/redis.ts';
import { INSERT, NAMES, requireNoBootForOtherName, TYPES, tokenStack, VALUES } from './support/token-stack.ts';

const REPORTS = 'reports';

t.test('with real parts', { skip: withoutRealAcraServer || withoutRedis }, async (t) => {
  await t.test('exchanges values of every type, and fails statements while Redis is away', async (t) => {
    const { stack, redis, owner } = await tokenStack(t, { tls: 'terminate', otherClients: [REPORTS] });
    await stack.allowMeasuredEnclave();
    await stack.enclave.startHostProxy();
    stack.enclave.startSupervisor();
    const address = await stack.enclave.untilServing(step());
    const session = await connectThroughEnclave(stack, address);
    t.teardown(() => session.end());
    for (const id of [1, 2]) await session.query(INSERT, [id, ...VALUES]);
    const stored = async () => (await owner.query('SELECT * FROM people ORDER BY id')).rows;
    const [first, second] = await stored();
    for (const name of NAMES) {
      const { value, form } = TYPES[name];
      t.not(String(first[name]), String(value), `${name} is no plaintext`);
      t.match(String(first[name]), form, `${name} has its form`);
      t.same(first[name], second[name], `${name} is consistent`);
    }
    const read = async () => (await session.query('SELECT * FROM people WHERE id = 1')).rows[0];
    const requireRead = async () => {
      const row = await read();
      for (const name of NAMES) t.same(row[name], TYPES[name].value, name);
    };
    await requireRead();
    const search = () => session.query('SELECT id FROM people WHERE word = $1 ORDER BY id', ['Beate']);
    t.same((await search()).rows, [{ id: 1 }, { id: 2 }], 'equality of consistent tokens');

    const [reports] = stack.parts.certificates.otherClients;
    const other = await connectThroughEnclave(stack, address, reports);
    await t.rejects(other.query('SELECT word FROM people'), { code: '58000' }, 'tokens of another client');
    t.same((await other.query("SELECT id FROM people WHERE word = 'Beate'")).rows, [], 'nor are they found');
    await other.end();

    process.kill(acraPid(stack.enclave), 'SIGKILL');
    await requireRead();

    await redis.stop();
    await t.rejects(session.query(INSERT, [3, ...VALUES]), { code: '58000' }, 'nothing is stored');
    await t.rejects(session.query("UPDATE people SET word = 'Carla'"), { code: '58000' });
    await t.rejects(search(), { code: '58000' });
    await t.rejects(read(), { code: '58000' }, 'no token is told as a value');
    t.same((await session.query('SELECT id FROM people')).rows, [{ id: 1 }, { id: 2 }], 'all else is served');
    t.same(await stored(), [first, second]);
    const told = logLines(stack.enclave, 'supervisor').filter(({ event }) => event === 'guard.engine-failed');
    t.ok(
      told.some(({ code }) => code === 'ENGINE_TOKEN_MISSING'),
      'and the operator is told',
    );

    await redis.start();
    for (let isBack = false; !isBack; )
      isBack = await read().then(
        () => true,
        () => false,
      );
    await requireRead();
    await session.query(INSERT, [4, ...VALUES]);
    t.same((await stored()).at(-1), { ...first, id: 4 }, 'consistent with what was before');
  });

  await t.test('ends the boot where Redis shows a certificate of another name', async (t) => {
    await requireNoBootForOtherName(t, 'terminate');
  });
});
