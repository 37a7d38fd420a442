/** Tokens of the real acra-server with a real Redis: what it answers while Redis is away is never taken for a token, or for a value. */
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { createAuthority } from '../../../emulator/pki/authority.ts';
import { systemClock } from '../../../runtime/clock.ts';
import { startRedis, withoutRedis } from '../../integration/support/redis.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { atRest } from '../support/at-rest.ts';
import { PROGRAMS, startEngine } from './support/engine-rig.ts';

const NAME = 'tokens.test';
/** As acra-server numbers types of tokens. */
const [STRING, BYTES] = [3, 4];
const TYPES = ['int32', 'int64', 'str', 'bytes', 'email'] as const;
const ENCRYPTOR = `schemas:
  - table: v
    columns: [${TYPES.flatMap((type) => [type, `random_${type}`]).join(', ')}, short]
    encrypted:
${TYPES.map(
  (type) => `      - {column: ${type}, token_type: ${type}, consistent_tokenization: true}
      - {column: random_${type}, token_type: ${type}}`,
).join('\n')}
      - {column: short, token_type: str}
`;
const VALUES = {
  int32: Buffer.from('80000000', 'hex'),
  int64: Buffer.from('fffffffffffffffe', 'hex'),
  str: Buffer.from('Jürgen'),
  bytes: Buffer.from('00ff00', 'hex'),
  email: Buffer.from('a@b.c'),
};
const COLUMNS = TYPES.flatMap((type) => [type, `random_${type}`].map((name) => ({ name, value: VALUES[type] })));

t.setTimeout(90_000);

const { command, skip } = PROGRAMS['acra-server'] ?? { skip: 'no program' };

t.test('tokens of acra-server', { skip: skip || withoutRedis }, async (t) => {
  const authority = await createAuthority({ commonName: 'Redis', clock: systemClock });
  const certificate = await authority.issue({ commonName: NAME, kind: 'server', subjectAltNames: [NAME] });
  const redis = await startRedis(t, certificate, authority.certificatePem);
  const caFile = join(temporaryFolder(t), 'ca.pem');
  writeFileSync(caFile, authority.certificatePem);
  const tokens = { host: '127.0.0.1', port: redis.port, serverName: NAME, caFile, database: 0 };
  const rig = await startEngine(t, { ...(command && { command }), encryptorConfig: ENCRYPTOR, tokens });
  const exchange = rig.engine.tokens;
  const made = new Map<string, Buffer>();

  await t.test('exchanges values of every type, at the edges of their types, and the tokens back', async (t) => {
    for (const { name, value } of COLUMNS) {
      const of = rig.column(name);
      const token = await exchange.tokenFor(of, value);
      made.set(name, token);
      t.notSame(token, value, name);
      t.same(await exchange.valuesOf(of, [token, token]), [value, value], name);
      t.equal(
        (await exchange.tokenFor(of, value)).equals(token),
        !name.startsWith('random'),
        `${name} is consistent or not`,
      );
    }
  });

  await t.test('exchanges many at once', async (t) => {
    const of = rig.column('random_str');
    const values = Array.from({ length: 200 }, (_, at) => Buffer.from(`value ${at}`));
    const each = await Promise.all(values.map((value) => exchange.tokenFor(of, value)));
    t.equal(new Set(each.map(String)).size, 200);
    t.same(await exchange.valuesOf(of, each), values);
  });

  await t.test('rejects a value of which all tokens are given away (ENGINE_TOKEN_MISSING)', async (t) => {
    const of = rig.column('short');
    const all = await Promise.allSettled(Array.from({ length: 80 }, () => exchange.tokenFor(of, Buffer.from('x'))));
    const failed = all.filter(({ status }) => status === 'rejected');
    t.ok(failed.length >= 18, 'there are 62 of one character');
    for (const each of failed) t.match(each, { reason: { code: 'ENGINE_TOKEN_MISSING' } });
  });

  /** As acra-server calls what it keeps of a value (`h.`) or a token (`t.`): nothing secret is in it. */
  const keyOf = (kind: 'h' | 't', text: Buffer, type: number = STRING) => {
    const [context, id] = [createHash('sha256'), createHash('sha256')];
    context.update(`client${atRest.clientId}`);
    const delimiter = 'tokenizator hash delimiter';
    id.update(delimiter).update(text).update(`client${atRest.clientId}`).update(`${delimiter}${type}`);
    const name = Buffer.concat([Buffer.from(`${kind}.`), id.digest()]).toString('hex');
    return `tokens/${context.digest('hex')}/${name}`;
  };

  await t.test(
    'shows whoever runs Redis which values there are, where tokens are consistent (docs/tokens.md)',
    async (t) => {
      const keys = new Set(await redis.keys());
      t.ok(keys.has(keyOf('h', VALUES.str)), 'found by a guess');
      await exchange.tokenFor(rig.column('random_str'), Buffer.from('guessed'));
      t.notOk(new Set(await redis.keys()).has(keyOf('h', Buffer.from('guessed'))), 'and not where they are not');
    },
  );

  await t.test(
    'reads what whoever runs Redis has put in the place of a value of the same client (docs/tokens.md)',
    async (t) => {
      const of = rig.column('random_str');
      const [one, two] = [Buffer.from('Carla'), Buffer.from('Doris')];
      const [first, second] = [await exchange.tokenFor(of, one), await exchange.tokenFor(of, two)];
      await redis.set(keyOf('t', first), await redis.get(keyOf('t', second)));
      t.same(await exchange.valuesOf(of, [first]), [two]);
    },
  );

  await t.test(
    'rejects an entry of another value that whoever runs Redis says is the token (ENGINE_UNPROTECTED)',
    async (t) => {
      const of = rig.column('bytes');
      const other = Buffer.from('other value');
      const token = await exchange.tokenFor(of, other);
      // As long as the entry: what acra-server takes for a token has the same length.
      const value = Buffer.alloc(other.length + 4, 1);
      await redis.set(keyOf('h', value, BYTES), await redis.get(keyOf('t', token, BYTES)));
      await t.rejects(exchange.tokenFor(of, value), { code: 'ENGINE_UNPROTECTED' });
    },
  );

  await t.test('rejects all that comes while Redis is away, and goes on when it is back', async (t) => {
    await redis.stop();
    for (const { name, value } of COLUMNS) {
      const of = rig.column(name);
      await t.rejects(exchange.tokenFor(of, value), { code: 'ENGINE_TOKEN_MISSING' }, `write ${name}`);
      await t.rejects(
        exchange.valuesOf(of, [made.get(name) ?? value]),
        { code: 'ENGINE_TOKEN_UNKNOWN' },
        `read ${name}`,
      );
    }
    const many = await Promise.allSettled(
      [...COLUMNS, ...COLUMNS].map(({ name, value }) => exchange.tokenFor(rig.column(name), value)),
    );
    t.ok(
      many.every(({ status }) => status === 'rejected'),
      'many at once',
    );
    await redis.start();
    // acra-server's client of Redis says for a second that it is not there.
    for (let isThere = false; !isThere; )
      isThere = await exchange.tokenFor(rig.column('random_str'), VALUES.str).then(
        () => true,
        () => false,
      );
    for (const { name, value } of COLUMNS)
      t.same(await exchange.valuesOf(rig.column(name), [made.get(name) ?? value]), [value], name);
    t.same(await exchange.tokenFor(rig.column('str'), VALUES.str), made.get('str'), 'consistent with what was before');
  });
});
