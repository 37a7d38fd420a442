/** What an engine does when acra-server fails, in each way in which it can: nothing leaves in plaintext, nothing is lost in silence. */

import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createConnection } from 'node:net';
import t from 'tap';
import { encodeAcraBlock, encodeContainer } from '../../../acra/container.ts';
import { themis } from '../../../acra/keystore/themis.ts';
import { systemRandom } from '../../../runtime/random.ts';
import { closed } from '../../support/closed.ts';
import { atRest } from '../support/at-rest.ts';
import { EngineRig, PROGRAMS, startEngine } from './support/engine-rig.ts';

const value = Buffer.from('a value that must not show');

const blockUnder = async (key: Buffer) => encodeAcraBlock(themis, key, Buffer.from('bait'), systemRandom);

function poisonKey(): Buffer {
  const secrets = Object.entries(atRest.keystoreSecretsBase64);
  const [, key = ''] = secrets.find(([name]) => name.endsWith('poison_key_sym')) ?? [];
  return Buffer.from(key, 'base64');
}

type Look = (rig: EngineRig, own: Buffer, bait: Buffer) => Promise<unknown>;
const WAYS_TO_LOOK: Readonly<Record<string, Look>> = {
  'in a cell of a column': (rig, own, bait) =>
    rig.engine.reveal(rig.column('blob'), [own, encodeContainer('acrablock', bait)]),
  'among containers of no column': ({ engine }, own, bait) => engine.examine([own, encodeContainer('acrablock', bait)]),
  'that has no container': ({ engine }, own, bait) => engine.examine([own, bait]),
};

t.setTimeout(120_000);

for (const [program, { command, skip }] of Object.entries(PROGRAMS)) {
  t.test(`an engine whose ${program} fails`, { skip }, async (t) => {
    t.test('asks again after it was killed, and loses nothing', async (t) => {
      const rig = await startEngine(t, { command });
      const { engine } = rig;
      const of = rig.column('secret');
      const stored = await engine.protect(of, value);
      for (let round = 0; round < 3; round += 1) {
        const values = Array.from({ length: 200 }, (_, index) => Buffer.from(`${round} ${index}`));
        const protecting = Promise.all(values.map((each) => engine.protect(of, each)));
        const revealing = engine.reveal(of, Array(300).fill(stored));
        await rig.kill();
        rig.launch();
        t.same(await engine.reveal(of, await protecting), values);
        t.same(await revealing, Array(300).fill(value));
      }
    });

    t.test('protects nothing without a key of the identity', async (t) => {
      const rig = await startEngine(t, { command, clientId: 'somebody-else' });
      for (const name of ['secret', 'email', 'blob']) {
        const refused = /^ENGINE_(UNPROTECTED|REFUSED|LOST)$/;
        await t.rejects(rig.engine.protect(rig.column(name), value), { code: refused }, name);
      }
      await t.rejects(rig.engine.searchHash(rig.column('email'), value), { code: /^ENGINE_/ });
    });

    t.test('gives a container of another identity as it is', async (t) => {
      const rig = await startEngine(t, { command });
      const foreign = encodeContainer('acrablock', encodeAcraBlock(themis, randomBytes(32), value, systemRandom));
      t.same(await rig.engine.reveal(rig.column('blob'), [foreign]), [foreign]);
      await t.rejects(rig.engine.protect(rig.column('blob'), foreign), { code: 'ENGINE_VALUE_FOREIGN' });
    });

    for (const [where, look] of Object.entries(WAYS_TO_LOOK)) {
      t.test(`ends at a poison record ${where}, and gives nothing for it`, async (t) => {
        const rig = await startEngine(t, { command, poisonDetection: true });
        const key = randomBytes(32);
        const own = await rig.engine.protect(rig.column('blob'), value);
        await rig.engine.examine([own, encodeContainer('acrablock', await blockUnder(key)), await blockUnder(key)]);
        const refused = t.rejects(look(rig, own, await blockUnder(poisonKey())), { code: 'ENGINE_STOPPED' });
        t.equal(await rig.ended(), 1);
        await rig.engine.stop();
        await refused;
        t.match(rig.log, /"code":101/);
      });
    }

    t.test('takes values up to its limit, and refuses larger ones by size', async (t) => {
      const rig = await startEngine(t, { command, limits: { maxValueBytes: 2_000_000 } });
      const of = rig.column('blob');
      const largest = randomBytes(2_000_000);
      t.same((await rig.engine.reveal(of, [await rig.engine.protect(of, largest)]))[0], largest);
      await t.rejects(rig.engine.protect(of, randomBytes(2_000_001)), {
        code: 'ENGINE_VALUE_TOO_LARGE',
        found: '2000001 bytes',
        allowed: '2000000 bytes',
      });
    });

    t.test('answers no process that does not know the secret of a session', async (t) => {
      const rig = await startEngine(t, { command });
      await rig.engine.protect(rig.column('secret'), value);
      for (const user of ['engine', 'u', 'f'.repeat(64), '']) {
        const stranger = createConnection(rig.database);
        const body = Buffer.concat([Buffer.from('\0\x03\0\0user\0'), Buffer.from(`${user}\0\0`)]);
        const length = Buffer.alloc(4);
        length.writeUInt32BE(body.length + 4);
        const heard: Buffer[] = [];
        stranger.on('data', (chunk: Buffer) => heard.push(chunk));
        stranger.write(Buffer.concat([length, body]));
        await closed(stranger);
        t.equal(heard.length, 0, `"${user}"`);
      }
      t.same(await rig.engine.protect(rig.column('secret'), Buffer.alloc(0)), Buffer.alloc(0));
      await rig.engine.protect(rig.column('secret'), value);
    });

    t.test('goes on beside connections that say nothing', async (t) => {
      const rig = await startEngine(t, { command });
      const silent = Array.from({ length: 100 }, () => createConnection(rig.database).on('error', () => undefined));
      t.teardown(() => {
        for (const each of silent) each.destroy();
      });
      await Promise.all(silent.map((each) => once(each, 'connect')));
      t.ok(await rig.engine.protect(rig.column('secret'), value));
    });
  });
}

t.test('gives up what waits when acra-server never comes', async (t) => {
  const rig = new EngineRig(t, { limits: { maxWaitMs: 50, retry: { minMs: 1, maxMs: 10 } } });
  await rig.engine.start();
  await t.rejects(rig.engine.protect(rig.column('secret'), value), { code: 'ENGINE_LOST' });
});

t.test('holds no more than it may', async (t) => {
  const rig = new EngineRig(t, { limits: { maxHeldBytes: 10_000 } });
  await rig.engine.start();
  const of = rig.column('secret');
  const first = rig.engine.protect(of, randomBytes(6_000)).catch(({ code }) => code);
  await t.rejects(rig.engine.protect(of, randomBytes(6_000)), { code: 'ENGINE_BUSY', allowed: '10000 bytes' });
  await rig.engine.stop();
  t.equal(await first, 'ENGINE_STOPPED');
  await t.rejects(rig.engine.protect(of, value), { code: 'ENGINE_STOPPED' });
});
