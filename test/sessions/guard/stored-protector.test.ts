/** What the engine is asked where a client has protected columns as they are stored. */
import t from 'tap';
import { encodeContainer } from '../../../acra/container.ts';
import type { EncryptedColumn } from '../../../acra/encryptor-config/schema.ts';
import { DATA_ROW, encodeMessage } from '../../../postgres/messages.ts';
import { noCounts } from '../../../sessions/guard/guard-counts.ts';
import { protectorsOf } from '../../../sessions/guard/protector.ts';
import { columnOf } from '../../acra/support/columns.ts';

const STR = columnOf({ name: 'name', searchable: true });
const AGE = columnOf({ name: 'age', dataType: 'int32' });
const BLOCK = Buffer.alloc(150, 0x77);
BLOCK.write('""""');
BLOCK.writeBigUInt64LE(146n, 4);
for (const at of [12, 15]) BLOCK.writeUInt8(0, at);
const CONTAINER = encodeContainer('acrablock', BLOCK);
const HASHED = Buffer.concat([Buffer.alloc(33, 0x7f), CONTAINER]);
const TEXT = `\\x${HASHED.toString('hex')}`;

function rig() {
  const asked: string[] = [];
  const ask = (what: string) => async (of: EncryptedColumn, value: Buffer) => {
    asked.push(`${what} ${of.name} ${value.toString('hex')}`);
    return value;
  };
  const engine = {
    protect: ask('store'),
    keep: ask('keep'),
    searchHash: ask('search'),
    tokens: { tokenFor: ask('token'), valuesOf: async (_of: EncryptedColumn, cells: readonly Buffer[]) => cells },
    reveal: async (_of: EncryptedColumn, cells: readonly Buffer[]) => cells,
    examine: async (cells: readonly Buffer[]) => void asked.push(`examine ${Buffer.concat(cells).toString('hex')}`),
  };
  let elsewhere = 0;
  const watch = {
    elsewhere: (count: number) => {
      elsewhere += count;
    },
    contradicted: () => undefined,
  };
  const options = { onFailure: () => undefined, findsPoison: true, watch, counts: noCounts().values };
  return { ...protectorsOf(engine, options), asked, elsewhere: () => elsewhere };
}

const literal = (value: string) =>
  ({ kind: 'literal', use: { column: STR, role: 'store' }, value, token: `'${value}'` }) as const;

t.test('looks for poison records in all that is read, and counts no container as out of place', async (t) => {
  const { stored, decrypted, asked, elsewhere } = rig();
  const read = async (protector: typeof stored) => {
    await protector.rows([DATA_ROW.encode([CONTAINER])], () => [{ column: undefined, isBinary: false }]);
    await protector.copied([encodeMessage('d', CONTAINER)]);
  };
  await read(stored);
  t.same(asked, Array(2).fill(`examine ${CONTAINER.toString('hex')}`));
  t.equal(elsewhere(), 0);
  await read(decrypted);
  t.equal(elsewhere(), 2);
});

t.test('keeps what was stored, in text and in binary, only where that is asked for', async (t) => {
  const { stored, decrypted, asked } = rig();
  await stored.literal(literal(TEXT));
  await stored.parameter({ column: STR, role: 'store' }, HASHED, true);
  await stored.parameter({ column: AGE, role: 'store' }, CONTAINER, true);
  t.same(await stored.parameter({ column: STR, role: 'search' }, HASHED, true), HASHED.subarray(0, 33));
  const kept = `keep name ${HASHED.toString('hex')}`;
  t.same(asked.splice(0), [kept, kept, `keep age ${CONTAINER.toString('hex')}`, kept]);
  await stored.literal(literal('no container'));
  await decrypted.literal(literal(TEXT));
  t.same(
    asked,
    ['no container', TEXT].map((text) => `store name ${Buffer.from(text).toString('hex')}`),
  );
});
