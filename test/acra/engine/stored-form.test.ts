/** What was stored before and is stored again: kept as it is where it opens under the keys of this identity, else refused. */
import t from 'tap';
import { containerIn } from '../../../acra/engine/check.ts';
import { isStoredForm } from '../../../acra/engine/stored-form.ts';
import { EngineError } from '../../../acra/errors.ts';
import { PROGRAMS, startEngine } from './support/engine-rig.ts';

const COMMON = `
schemas:
  - table: v
    columns: [id, plain, typed, searched, failing, replaced, int32, searched_int, masked_left, masked_right, struct]
    encrypted:
      - column: plain
      - column: typed
        data_type: str
      - column: searched
        data_type: str
        searchable: true
      - column: failing
        data_type: str
        response_on_fail: error
      - column: replaced
        data_type: str
        response_on_fail: default_value
        default_data_value: none
`;
const REAL_ONLY = `
      - column: int32
        data_type: int32
      - column: searched_int
        data_type: int64
        searchable: true
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
`;
const TEXTS = ['plain', 'typed', 'searched', 'failing', 'replaced'];
const REFUSED = /^ENGINE_(VALUE_FOREIGN|VALUE_INVALID|REFUSED)$/;
const codeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'kept',
    (error: unknown) => (error instanceof EngineError ? error.code : String(error)),
  );

t.setTimeout(120_000);

for (const [program, { command, skip }] of Object.entries(PROGRAMS)) {
  const isReal = program === 'acra-server';
  t.test(`with ${program}`, { skip }, async (t) => {
    const rig = await startEngine(t, { command, encryptorConfig: COMMON + (isReal ? REAL_ONLY : '') });
    const { engine } = rig;
    const values: Record<string, Buffer> = {
      ...Object.fromEntries(
        [...TEXTS, ...(isReal ? ['masked_left', 'masked_right', 'struct'] : [])].map((name) => [
          name,
          Buffer.from('none of it'),
        ]),
      ),
      ...(isReal ? { int32: Buffer.from([0, 0, 0, 7]), searched_int: Buffer.from([0, 0, 0, 0, 0, 0, 0, 7]) } : {}),
    };

    t.test('keeps what opens, byte for byte, in every kind of column', async (t) => {
      for (const [name, value] of Object.entries(values)) {
        const of = rig.column(name);
        const stored = await engine.protect(of, value);
        t.ok(isStoredForm(of, stored), name);
        t.notOk(isStoredForm(of, value), `${name}, and not its value`);
        t.same(await engine.keep(of, stored), stored, name);
      }
    });

    t.test('refuses what does not open, also where a column has a default for that', async (t) => {
      for (const [name, value] of Object.entries(values)) {
        const of = rig.column(name);
        const stored = Buffer.from(await engine.protect(of, value));
        const container = containerIn(of, stored);
        const at = container.byteOffset - stored.byteOffset + container.length - 2;
        stored.writeUInt8(stored.readUInt8(at) ^ 1, at);
        t.ok(isStoredForm(of, stored));
        t.match(await codeOf(engine.keep(of, stored)), REFUSED, name);
        if (TEXTS.includes(name)) t.match(await codeOf(engine.protect(of, container)), REFUSED, `${name}, as a value`);
      }
    });

    t.test('gives a container of a searchable column the hash that it has lost', async (t) => {
      const of = rig.column('searched');
      const stored = await engine.protect(of, Buffer.from('x'));
      t.same(await engine.keep(of, containerIn(of, stored)), stored);
      const other = Buffer.concat([Buffer.alloc(33, 0x7f), containerIn(of, stored)]);
      t.same(await engine.keep(of, other), stored);
    });
  });
}
