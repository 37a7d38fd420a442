/**
 * A value that is a search hash and a container by itself: encrypted once more it would come back without the hash, and acra-server would
 * put it in the place of the next cell that it reads in that session (acra-server contract 11), of whichever row and client.
 */
import t from 'tap';
import { encodeAcraBlock, encodeContainer } from '../../../acra/container.ts';
import { loadThemis } from '../../../acra/keystore/themis.ts';
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
  const others = await Promise.all(
    ['one', 'two', 'three'].map(async (text) => [Buffer.from(text), await engine.protect(plain, Buffer.from(text))]),
  );
  const values = others.map(([value]) => value);
  const cells = others.flatMap(([, cell]) => cell ?? []);

  t.test('refuses to encrypt it once more', async (t) => {
    for (const column of [plain, searched]) await t.rejects(engine.protect(column, inner), { code: 'ENGINE_VALUE_FOREIGN' });
  });

  t.test('reads every other cell right, behind one that was stored all the same', async (t) => {
    const [key] = (await vectorKeyring(t)).keys('storage-symmetric', atRest.clientId);
    if (!key) throw new Error('no key');
    const block = encodeAcraBlock(await loadThemis(), key, inner, seededRandom('inside'));
    const cell = encodeContainer('acrablock', block);
    t.same((await engine.reveal(plain, [cell, ...cells])).slice(1), values, 'in its row');
    t.same((await engine.reveal(plain, [...cells, cell])).slice(0, -1), values, 'before it');
    await engine.reveal(plain, [cell]);
    t.same(await engine.reveal(plain, cells), values, 'behind it');
    const all = await Promise.all([cell, ...cells].map((each) => engine.reveal(plain, [each])));
    t.same(all.slice(1).flat(), values, 'at the same time');
  });
});
