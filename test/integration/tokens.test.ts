/** Tokenized columns of an acra-server in line, whose tokens lie in a real Redis behind a route of their own. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Client } from 'pg';
import t, { type Test } from 'tap';
import { connectDirectly, connectThroughEnclave } from '../../cli/demo/clients.ts';
import { APPLICATION } from '../../cli/demo/database.ts';
import type { Stack } from '../../cli/demo/stack.ts';
import { createAuthority } from '../../emulator/pki/authority.ts';
import { systemClock } from '../../runtime/clock.ts';
import type { TcpEndpoint } from '../../wire/endpoint.ts';
import { withoutRealAcraServer } from '../acra/support/real-acra-server.ts';
import { acraPid, failedBoot, logLines, prepareStack, step } from '../support/stack.ts';
import { startRedis, withoutRedis } from './support/redis.ts';

const NAME = 'tokens.test';
const TYPES = {
  number: { sql: 'integer', type: 'int32', value: 4711, form: /^-?\d{1,10}$/ },
  long: { sql: 'bigint', type: 'int64', value: '123456789012345', form: /^-?\d{1,19}$/ },
  word: { sql: 'text', type: 'str', value: 'Beate', form: /^\w+$/ },
  bytes: { sql: 'bytea', type: 'bytes', value: Buffer.from('0001ff', 'hex'), form: /./s },
  email: { sql: 'text', type: 'email', value: 'beate@example.org', form: /^[^@]+@[^@]+$/ },
} as const;
const NAMES = Object.keys(TYPES) as (keyof typeof TYPES)[];
const TABLE = ['id integer PRIMARY KEY', ...NAMES.map((name) => `${name} ${TYPES[name].sql}`)].join(', ');
const columns = NAMES.map(
  (name) => `      - {column: ${name}, token_type: ${TYPES[name].type}, consistent_tokenization: true}`,
);
const ENCRYPTOR = `schemas:
  - table: people
    columns: [id, ${NAMES.join(', ')}]
    encrypted:
${columns.join('\n')}
`;
const VALUES = NAMES.map((name) => TYPES[name].value);

/** A measured enclave whose tokens are kept in `redis`. */
async function prepared(t: Test, serverName = NAME) {
  const authority = await createAuthority({ commonName: 'Redis', clock: systemClock });
  const certificate = await authority.issue({ commonName: NAME, kind: 'server', subjectAltNames: [NAME] });
  const redis = await startRedis(t, certificate, authority.certificatePem);
  const stack = await prepareStack(t, {
    enclaveSettings: {
      ingress: { tls: 'passthrough' },
      acra: { tokens: { serverName, unreachable: 'plaintext', listen: 'tcp://127.0.0.1:0' } },
      restart: { minMs: 50, maxMs: 100 },
    },
    hostSettings: { tokens: { connect: `tcp://127.0.0.1:${redis.port}` } },
  });
  writeFileSync(join(stack.enclaveFolder, 'tls', 'tokens-ca.pem'), authority.certificatePem);
  writeFileSync(join(stack.enclaveFolder, 'encryptor.yaml'), ENCRYPTOR);
  const owner = await connectDirectly(stack);
  await owner.query(`CREATE TABLE people (${TABLE}); GRANT SELECT, INSERT, UPDATE ON people TO ${APPLICATION.user}`);
  t.teardown(() => owner.end());
  return { stack, redis, owner };
}

/** As soon as acra-server is there again. */
async function reconnected(stack: Stack, address: TcpEndpoint): Promise<Client> {
  for (;;) {
    const session = await connectThroughEnclave(stack, address).catch(() => undefined);
    if (session) return session;
  }
}

const insert = `INSERT INTO people (id, ${NAMES.join(', ')}) VALUES ($1, ${NAMES.map((_, at) => `$${at + 2}`).join(', ')})`;

t.test('with real parts', { skip: withoutRealAcraServer || withoutRedis }, async (t) => {
  await t.test('exchanges values of every type for tokens, keeps these, and gives the values back', async (t) => {
    const { stack, redis, owner } = await prepared(t);
    await stack.allowMeasuredEnclave();
    await stack.enclave.startHostProxy();
    stack.enclave.startSupervisor();
    const address = await stack.enclave.untilServing(step());
    const session = await connectThroughEnclave(stack, address);
    for (const id of [1, 2]) await session.query(insert, [id, ...VALUES]);
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
    await again.query(insert, [3, ...VALUES]).catch(() => undefined);
    await again.end().catch(() => undefined);
    const ended = () => logLines(stack.enclave, 'supervisor').some(({ event }) => event === 'acra.ended-for-plaintext');
    await stack.enclave.until(() => ended(), step());
    // It is not there again before Redis is.
    await t.rejects(connectThroughEnclave(stack, address));
    await redis.start();
    const back = await reconnected(stack, address);
    t.same((await back.query('SELECT word FROM people WHERE id = 1')).rows, [{ word: 'Beate' }]);
    await back.query(insert, [4, ...VALUES]);
    await back.end();
    const [kept] = (await owner.query('SELECT word FROM people WHERE id = 4')).rows;
    t.same(kept, { word: stored[0].word }, 'consistent with what was before');
  });

  await t.test('ends the boot where Redis shows a certificate of another name', async (t) => {
    const { stack } = await prepared(t, 'other.test');
    await stack.allowMeasuredEnclave();
    const status = await failedBoot(stack.enclave);
    t.match(status.enclave, {
      phase: 'acra',
      errorCode: 'ACRA_EXIT_FAILURE',
      detail: /valid for tokens.test, not other.test/,
    });
  });
});
