/**
 * A value that is a search hash and a container by itself: encrypted once more it would come back without the hash, and acra-server would
 * put it in the place of the next cell that it reads in that session (acra-server contract 11), of whichever row and client.
 */
import t from 'tap';
import { encodeAcraBlock, encodeContainer } from '../../../acra/container.ts';
import { themis } from '../../../acra/keystore/themis.ts';
import { vectorKeyring } from '../../emulator/acra-server/support/vector-cipher.ts';
import { seededRandom } from '../../support/seeded-random.ts';
import { atRest } from '../support/at-rest.ts';
import { PROGRAMS, startEngine } from './support/engine-rig.ts';

const CONFIG = `schemas:
  - table: v
    columns: [id, plain, searched]
    encrypted:
      - column: plain
      - {column: searched, data_type: str, searchable: true}
`;
const { command, skip } = PROGRAMS['acra-server'] ?? { command: undefined, skip: true };

t.test('with acra-server', { skip, timeout: 60_000 }, async (t) => {
  const rig = await startEngine(t, {
    ...(command && { command }),
    encryptorConfig: CONFIG,
    limits: { connections: 1 },
  });
  const { engine } = rig;
  const [plain, searched] = [rig.column('plain'), rig.column('searched')];
  const inner = await engine.protect(searched, Buffer.from('the value inside'));
  const HASH = Buffer.alloc(33, 0x7f);
  const FORMS = [
    inner,
    Buffer.concat([inner, Buffer.from('more')]),
    Buffer.concat([HASH, inner]),
    Buffer.concat([HASH, Buffer.from('abc'), inner.subarray(33)]),
    Buffer.concat([HASH, inner.subarray(45)]),
  ];
  const others = await Promise.all(
    ['one', 'two', 'three'].map(async (text) => [Buffer.from(text), await engine.protect(plain, Buffer.from(text))]),
  );
  const values = others.map(([value]) => value);
  const cells = others.flatMap(([, cell]) => cell ?? []);

  t.test('refuses to encrypt it once more', async (t) => {
    for (const column of [plain, searched])
      for (const value of FORMS) await t.rejects(engine.protect(column, value), { code: 'ENGINE_VALUE_FOREIGN' });
  });

  t.test('takes a value that begins as a hash does, and holds no container', async (t) => {
    for (const tail of ['', 'some text', '%%%', '""""', '%%%'.repeat(300)]) {
      const value = Buffer.concat([HASH, Buffer.from(tail)]);
      t.same(await engine.reveal(plain, [await engine.protect(plain, value)]), [value]);
    }
  });

  t.test('reads every other cell right, behind one that was stored all the same', async (t) => {
    const [key] = (await vectorKeyring(t)).keys('storage-symmetric', atRest.clientId);
    if (!key) throw new Error('no key');
    for (const [at, form] of FORMS.entries()) {
      const cell = encodeContainer('acrablock', encodeAcraBlock(themis, key, form, seededRandom(`inside ${at}`)));
      t.same((await engine.reveal(plain, [cell, ...cells])).slice(1), values, 'in its row');
      t.same((await engine.reveal(plain, [...cells, cell])).slice(0, -1), values, 'before it');
      await engine.reveal(plain, [cell]);
      t.same(await engine.reveal(plain, cells), values, 'behind it');
      const all = await Promise.all([cell, ...cells].map((each) => engine.reveal(plain, [each])));
      t.same(all.slice(1).flat(), values, 'at the same time');
    }
  });
});
