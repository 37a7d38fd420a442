/** Every kind of column that Acra knows, through the engine. Masking, integers and AcraStructs only the real acra-server can do. */
import t from 'tap';
import { containerAt, searchHashAt } from '../../../acra/container.ts';
import { PROGRAMS, startEngine } from './support/engine-rig.ts';

const COMMON = `
schemas:
  - table: v
    columns: [id, plain, typed, failing, replaced, 'Quoted name', int32, int64, masked_left, masked_right, struct, searched_struct]
    encrypted:
      - column: plain
      - column: typed
        data_type: bytes
      - column: failing
        data_type: str
        response_on_fail: error
      - column: replaced
        data_type: str
        response_on_fail: default_value
        default_data_value: none
      - column: 'Quoted name'
`;
const REAL_ONLY = `
      - column: int32
        data_type: int32
      - column: int64
        data_type: int64
      - column: masked_left
        masking: xxxx
        plaintext_length: 3
        plaintext_side: left
      - column: masked_right
        data_type: str
        masking: '####'
        plaintext_length: 4
        plaintext_side: right
      - column: struct
        crypto_envelope: acrastruct
        reencrypting_to_acrablocks: false
      - column: searched_struct
        crypto_envelope: acrastruct
        searchable: true
`;
const int = (bytes: 4 | 8, value: number) => {
  const buffer = Buffer.alloc(bytes);
  buffer.writeIntBE(value, bytes === 4 ? 0 : 2, bytes === 4 ? 4 : 6);
  return buffer;
};

t.setTimeout(120_000);

for (const [program, { command, skip }] of Object.entries(PROGRAMS)) {
  const isReal = program === 'acra-server';
  t.test(`columns through ${program}`, { skip }, async (t) => {
    const rig = await startEngine(t, { command, encryptorConfig: COMMON + (isReal ? REAL_ONLY : '') });
    const { engine } = rig;
    const back = async (name: string, ...values: readonly Buffer[]) => {
      const of = rig.column(name);
      const stored = await Promise.all(values.map((value) => engine.protect(of, value)));
      t.same(await engine.reveal(of, stored), values, name);
      return stored;
    };

    t.test('gives back values of every kind of column', async (t) => {
      for (const name of ['plain', 'typed', 'failing', 'replaced', 'Quoted name']) {
        await back(name, Buffer.from('hello'), Buffer.from('ünï'));
      }
      t.end();
    });

    t.test('reads cells of all kinds that are asked about at once, each by its own column', async (t) => {
      const kinds = [
        'plain',
        'typed',
        'failing',
        'replaced',
        'Quoted name',
        ...(isReal ? ['int32', 'int64', 'masked_left'] : []),
      ];
      const values = kinds.map((name) =>
        name.startsWith('int') ? int(name === 'int32' ? 4 : 8, -7) : Buffer.from(`of ${name}`),
      );
      const stored = await Promise.all(kinds.map((name, at) => engine.protect(rig.column(name), values[at]!)));
      const junk = Buffer.from('no container');
      const cellsOf = (name: string, at: number) =>
        name === 'failing' || name.startsWith('int') ? [stored[at]!] : [stored[at]!, junk, stored[at]!];
      const together = await Promise.all(kinds.map((name, at) => engine.reveal(rig.column(name), cellsOf(name, at))));
      for (const [at, name] of kinds.entries()) {
        t.same(together[at], await engine.reveal(rig.column(name), cellsOf(name, at)), `${name}, as alone`);
        t.same(together[at]?.[0], values[at], name);
      }
      const withFailure = [rig.column('failing'), rig.column('plain')].map((of) => engine.reveal(of, [junk]));
      const [failing, plain] = await Promise.allSettled(withFailure);
      t.match(failing, { status: 'rejected', reason: { code: 'ENGINE_REFUSED' } });
      t.same(plain, { status: 'fulfilled', value: [junk] }, 'one that is refused costs its neighbour nothing');
    });

    t.test('answers what does not open as response_on_fail says', async (t) => {
      const junk = Buffer.from('junk');
      t.same(await engine.reveal(rig.column('typed'), [junk]), [junk]);
      t.same(await engine.reveal(rig.column('replaced'), [junk, junk]), [Buffer.from('none'), Buffer.from('none')]);
      await t.rejects(engine.reveal(rig.column('failing'), [junk]), { code: 'ENGINE_REFUSED' });
    });

    t.test('reads each column by its own settings after an error in another', async (t) => {
      const junk = Buffer.from('junk');
      for (let round = 0; round < 3; round += 1) {
        await t.rejects(engine.reveal(rig.column('failing'), [junk]), { code: 'ENGINE_REFUSED' });
        t.same(await engine.reveal(rig.column('replaced'), [junk]), [Buffer.from('none')]);
        t.same(await engine.reveal(rig.column('typed'), [junk]), [junk]);
      }
    });

    t.test(
      'integers, masked columns and AcraStructs',
      { skip: isReal ? false : 'the stand-in has none' },
      async (t) => {
        await back('int32', int(4, -5), int(4, 2 ** 31 - 1), int(4, 0));
        await back('int64', int(8, 12_345_678_901));
        const [left] = await back('masked_left', Buffer.from('hello'), Buffer.from('ab'), Buffer.from('abc'));
        t.equal(left?.subarray(0, 3).toString(), 'hel');
        t.notOk(left?.includes('hello'));
        const [right] = await back('masked_right', Buffer.from('hello world'), Buffer.from('abcd'));
        t.equal(right?.subarray(-4).toString(), 'orld');
        const [struct] = await back('struct', Buffer.from('hello'));
        t.equal(containerAt(struct ?? Buffer.alloc(0))?.envelope, 'acrastruct');
        const [searched = Buffer.alloc(0)] = await back('searched_struct', Buffer.from('hello'));
        t.same(searchHashAt(searched), await engine.searchHash(rig.column('searched_struct'), Buffer.from('hello')));
        const masked = { ...rig.column('masked_left') };
        t.notSame(await engine.protect(masked, Buffer.from('hello')), left, 'a new key each time');
      },
    );

    t.test('refuses a number of another size', { skip: isReal ? false : 'the stand-in has none' }, async (t) => {
      for (const [name, value] of [
        ['int32', Buffer.from('-5')],
        ['int32', int(8, 5)],
        ['int64', int(4, 5)],
      ] as const) {
        await t.rejects(engine.protect(rig.column(name), value), { code: 'ENGINE_VALUE_INVALID' }, name);
      }
    });
  });
}
