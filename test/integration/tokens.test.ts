/** Tokenized columns of an acra-server in line, whose tokens lie in a real Redis behind a route of their own. */
import type { Client } from 'pg';
import t from 'tap';
import { connectThroughEnclave } from '../../cli/demo/clients.ts';
import type { Stack } from '../../cli/demo/stack.ts';
import type { TcpEndpoint } from '../../wire/endpoint.ts';
import { withoutRealAcraServer } from '../acra/support/real-acra-server.ts';
import { acraPid, logLines, step } from '../support/stack.ts';
import { withoutRedis } from './support/redis.ts';
import { INSERT, NAMES, requireNoBootForOtherName, TYPES, tokenStack, VALUES } from './support/token-stack.ts';

/** As soon as acra-server is there again. */
async function reconnected(stack: Stack, address: TcpEndpoint): Promise<Client> {
  for (;;) {
    const session = await connectThroughEnclave(stack, address).catch(() => undefined);
    if (session) return session;
  }
}

t.test('with real parts', { skip: withoutRealAcraServer || withoutRedis }, async (t) => {
  await t.test('exchanges values of every type for tokens, keeps these, and gives the values back', async (t) => {
    const { stack, redis, owner } = await tokenStack(t, { tls: 'passthrough' });
    await stack.allowMeasuredEnclave();
    await stack.enclave.startHostProxy();
    stack.enclave.startSupervisor();
    const address = await stack.enclave.untilServing(step());
    const session = await connectThroughEnclave(stack, address);
    for (const id of [1, 2]) await session.query(INSERT, [id, ...VALUES]);
    const stored = (await owner.query('SELECT * FROM people ORDER BY id')).rows;
    for (const name of NAMES) {
      const { value, form } = TYPES[name];
      t.not(String(stored[0][name]), String(value), `${name} is no plaintext`);
      t.match(String(stored[0][name]), form, `${name} has its form`);
      t.same(stored[0][name], stored[1][name], `${name} is consistent`);
    }
    const read = async () => (await session.query('SELECT * FROM people ORDER BY id')).rows;
    const [first] = await read();
    for (const name of NAMES) t.same(first[name], TYPES[name].value, name);
    const found = await session.query('SELECT id FROM people WHERE word = $1 ORDER BY id', ['Beate']);
    t.same(found.rows, [{ id: 1 }, { id: 2 }], 'equality of consistent tokens');
    t.ok((await redis.keys()).length >= NAMES.length);
    t.notMatch(JSON.stringify(await redis.values()), new RegExp(Buffer.from('Beate').toString('hex')));
    await session.end();

    process.kill(acraPid(stack.enclave), 'SIGKILL');
    const again = await reconnected(stack, address);
    const { rows } = await again.query('SELECT word, number FROM people WHERE id = 1');
    t.same(rows, [{ word: 'Beate', number: 4711 }], 'tokens outlive acra-server');

    await redis.stop();
    await again.query(INSERT, [3, ...VALUES]).catch(() => undefined);
    await again.end().catch(() => undefined);
    const ended = () => logLines(stack.enclave, 'supervisor').some(({ event }) => event === 'acra.ended-for-plaintext');
    await stack.enclave.until(() => ended(), step());
    // It is not there again before Redis is.
    await t.rejects(connectThroughEnclave(stack, address));
    await redis.start();
    const back = await reconnected(stack, address);
    t.same((await back.query('SELECT word FROM people WHERE id = 1')).rows, [{ word: 'Beate' }]);
    await back.query(INSERT, [4, ...VALUES]);
    await back.end();
    const [kept] = (await owner.query('SELECT word FROM people WHERE id = 4')).rows;
    t.same(kept, { word: stored[0].word }, 'consistent with what was before');
  });

  await t.test('ends the boot where Redis shows a certificate of another name', async (t) => {
    await requireNoBootForOtherName(t, 'passthrough');
  });
});
