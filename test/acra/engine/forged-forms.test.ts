/**
 * Plaintext in the form of a container, in columns where acra-server does not show whether one opens: it looks behind what masking leaves
 * readable, and a column with keys of its own answers with its default or its mask. None of it may pass for encrypted.
 */
import t from 'tap';
import { isStoredForm } from '../../../acra/engine/stored-form.ts';
import { EngineError } from '../../../acra/errors.ts';
import { atRest } from '../support/at-rest.ts';
import { PROGRAMS, startEngine } from './support/engine-rig.ts';

const KEYS = `client_id: "${atRest.clientId}"`;
const LEFT = 'masking: xxxx, plaintext_length: 3, plaintext_side: left';
const RIGHT = "masking: '####', plaintext_length: 4, plaintext_side: right";
const DEFAULT = 'response_on_fail: default_value, default_data_value: none';
const CONFIG = `schemas:
  - table: v
    columns: [id, left, right, text, own, own_default, own_left, own_right, own_search, own_error]
    encrypted:
      - {column: left, ${LEFT}}
      - {column: right, ${RIGHT}}
      - {column: text, data_type: str, ${LEFT}}
      - {column: own, ${KEYS}}
      - {column: own_default, data_type: str, ${DEFAULT}, ${KEYS}}
      - {column: own_left, ${LEFT}, ${KEYS}}
      - {column: own_right, data_type: str, ${RIGHT}, ${KEYS}}
      - {column: own_search, data_type: str, searchable: true, ${KEYS}}
      - {column: own_error, data_type: str, response_on_fail: error, ${KEYS}}
`;
const COLUMNS = ['left', 'right', 'text', 'own', 'own_default', 'own_left', 'own_right', 'own_search', 'own_error'];
const PLAINTEXT = Buffer.from('PLAINTEXT'.repeat(8));

function u64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
}

/** Tags and lengths are right, and nothing else. */
function block(content: Buffer): Buffer {
  const rest = Buffer.concat([Buffer.of(0, 1, 2, 0, 20, 0), Buffer.alloc(20, 7), content]);
  return Buffer.concat([Buffer.alloc(4, 0x22), u64(rest.length + 8), rest]);
}
const struct = (content: Buffer) =>
  Buffer.concat([Buffer.alloc(8, 0x22), Buffer.alloc(129, 1), u64(content.length), content]);
const container = (body: Buffer, envelope: number) =>
  Buffer.concat([Buffer.from('%%%'), u64(12 + body.length), Buffer.of(envelope), body]);

const FORGED = [block(PLAINTEXT), struct(PLAINTEXT)].flatMap((body) => [
  body,
  container(body, 0xf0),
  container(body, 0xf1),
  container(container(body, 0xf0), 0xf0),
]);
/** Where a container may stand in a value: by itself, behind or before what is left readable, behind a hash. */
const PLACED = FORGED.flatMap((form) => [
  form,
  Buffer.concat([Buffer.from('abc'), form]),
  Buffer.concat([form, Buffer.from('wxyz')]),
  Buffer.concat([Buffer.alloc(33, 0x7f), form]),
]);

const { command, skip } = PROGRAMS['acra-server'] ?? { command: undefined, skip: true };

t.test('with acra-server', { skip, timeout: 120_000 }, async (t) => {
  const rig = await startEngine(t, { ...(command && { command }), encryptorConfig: CONFIG });
  const { engine } = rig;
  const leaks = (asked: Promise<Buffer>) =>
    asked.then(
      (stored) => stored.includes(PLAINTEXT),
      (error: unknown) => !(error instanceof EngineError),
    );

  for (const name of COLUMNS) {
    const of = rig.column(name);
    t.test(`keeps no plaintext in ${name}, alone, among others or as what was stored`, async (t) => {
      for (const value of PLACED) {
        t.notOk(await leaks(engine.protect(of, value)));
        const among = await Promise.all([
          leaks(engine.protect(of, Buffer.from('first value'))),
          leaks(engine.protect(of, value)),
          leaks(engine.protect(of, Buffer.from('last value'))),
        ]);
        t.same(among, [false, false, false]);
        if (isStoredForm(of, value)) t.notOk(await leaks(engine.keep(of, value)));
      }
    });

    t.test(`keeps what was stored in ${name} and opens`, async (t) => {
      const stored = await engine.protect(of, Buffer.from('a value of the column'));
      t.same(await engine.keep(of, stored), stored);
      if (!of.searchable) t.same(await engine.protect(of, stored), stored);
    });
  }
});
