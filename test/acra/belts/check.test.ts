/** The belts in a real PostgreSQL: what the engine makes for every kind of column passes, and what is made of it does not. */
import t from 'tap';
import { checkAsStored, checkFor } from '../../../acra/belts/check.ts';
import { beltName } from '../../../acra/belts/names.ts';
import type { EncryptedColumn } from '../../../acra/encryptor-config/schema.ts';
import { identifier } from '../../../postgres/sql-names.ts';
import { seededRandom } from '../../support/seeded-random.ts';
import { caseDatabase } from '../catalogue/support/database.ts';
import { PROGRAMS, startEngine } from '../engine/support/engine-rig.ts';
import { columnOf } from '../support/columns.ts';

const COMMON = `
schemas:
  - table: v
    columns: [plain, text, bytes, searched, 'Odd Name', masked, masked_right, masked_none, int32, int64, struct, searched_struct, masked_struct, kept]
    encrypted:
      - {column: plain}
      - {column: text, data_type: str, response_on_fail: error}
      - {column: bytes, data_type: bytes}
      - {column: searched, searchable: true, data_type: str}
      - {column: 'Odd Name', searchable: true}
`;
const REAL_ONLY = `
      - {column: masked, masking: xxxx, plaintext_length: 3, plaintext_side: left}
      - {column: masked_right, data_type: str, masking: '####', plaintext_length: 4, plaintext_side: right}
      - {column: masked_none, masking: xxxx, plaintext_length: 0, plaintext_side: left}
      - {column: int32, data_type: int32}
      - {column: int64, data_type: int64}
      - {column: struct, crypto_envelope: acrastruct, reencrypting_to_acrablocks: false}
      - {column: searched_struct, crypto_envelope: acrastruct, searchable: true}
      - {column: masked_struct, crypto_envelope: acrastruct, masking: xxxx, plaintext_length: 2, plaintext_side: right}
      - {column: kept, reencrypting_to_acrablocks: false}
`;
const KINDS = /column: ('.*?'|\w+)/g;

const MIB = 1024 * 1024;
const VALUES = ['h', 'ab', 'abc', 'abcd', 'ünï', 'a longer value, '.repeat(20)].map((text) => Buffer.from(text));

const integer = (bytes: number, value: number) => {
  const buffer = Buffer.alloc(bytes);
  buffer.writeInt32BE(value, bytes - 4);
  return buffer;
};

function valuesOf({ dataType }: EncryptedColumn): readonly Buffer[] {
  if (dataType !== 'int32' && dataType !== 'int64') return [...VALUES, Buffer.alloc(MIB, 'a')];
  return [0, 7, 2 ** 31 - 1].map((value) => integer(dataType === 'int32' ? 4 : 8, value));
}

const hashBytes = ({ searchable }: EncryptedColumn) => (searchable ? 33 : 0);

/** Where the container begins: behind the hash, or what masking leaves. */
function startOf(column: EncryptedColumn, stored: Buffer): number {
  if (!column.masking) return hashBytes(column);
  return stored.subarray(0, 3).equals(Buffer.from('%%%')) ? 0 : column.masking.plaintextBytes;
}

function withByte(bytes: Buffer, at: number, change: (byte: number) => number): Buffer {
  const copy = Buffer.from(bytes);
  copy[at] = change(copy[at] ?? 0) & 0xff;
  return copy;
}

/** Tags, lengths, types and fixed sizes: every byte that is not chosen at random. */
function fixedBytes({ envelope }: EncryptedColumn): number[] {
  const range = (from: number, to: number) => Array.from({ length: to - from }, (_, index) => from + index);
  return envelope === 'acrablock'
    ? [...range(0, 25), ...range(27, 46), ...range(106, 122)]
    : [...range(0, 28), ...range(65, 89), ...range(149, 173)];
}

/** By what is wrong with it. */
function damaged(column: EncryptedColumn, stored: Buffer): Record<string, Buffer> {
  const start = startOf(column, stored);
  const changed = fixedBytes(column).map((at) => [
    `byte ${at} changed`,
    withByte(stored, start + at, (byte) => byte + 1),
  ]);
  return {
    'a byte more': Buffer.concat([stored, Buffer.of(0)]),
    'a byte more in front': Buffer.concat([Buffer.of(0x41), stored]),
    'a byte less': stored.subarray(0, -1),
    'only its headers': stored.subarray(0, start + 150),
    'text behind its first bytes': Buffer.concat([
      stored.subarray(0, start + 12),
      Buffer.from('in the clear '.repeat(20)),
    ]),
    'twice the same': Buffer.concat([stored, stored]),
    ...Object.fromEntries(changed),
  };
}

const PLAINTEXTS = [
  'x',
  'flu',
  '%%%',
  '%%%%%%%%%%%%%%%%%%',
  '""""""""',
  '""""and more text than a header has',
  '\u007fflu',
].map((text) => Buffer.from(text));

t.setTimeout(120_000);

t.test('a belt', async (t) => {
  const { client } = await caseDatabase(t);

  const refused = async (column: string, value: Buffer): Promise<boolean> => {
    const sql = `INSERT INTO v (${identifier(column)}) VALUES ($1)`;
    return client.query(sql, [value]).then(
      () => false,
      (error) => {
        t.match(error, { code: '23514', constraint: beltName(column) });
        return true;
      },
    );
  };

  for (const [program, { command, skip }] of Object.entries(PROGRAMS)) {
    await t.test(`of what ${program} makes`, { skip }, async (t) => {
      const encryptorConfig = COMMON + (program === 'acra-server' ? REAL_ONLY : '');
      const { engine, ...rest } = await startEngine(t, { command, encryptorConfig }).then((rig) => ({
        engine: rig.engine,
        rig,
      }));
      const names = [...encryptorConfig.matchAll(KINDS)].map(([, name = '']) => name.replaceAll("'", ''));
      const columns = names.map((name) => rest.rig.column(name));
      await client.query(
        `DROP TABLE IF EXISTS v; CREATE TABLE v (${names.map((name) => `${identifier(name)} bytea`).join(', ')})`,
      );
      for (const column of columns) {
        const belt = `ADD CONSTRAINT ${identifier(beltName(column.name))} CHECK ${checkFor(column, column.name)}`;
        await client.query(`ALTER TABLE v ${belt}`);
      }

      await t.test('accepts it, NULL and the empty value, in every kind of column', async (t) => {
        for (const column of columns) {
          for (const value of [null, Buffer.alloc(0)])
            t.notOk(await refused(column.name, value as Buffer), column.name);
          for (const value of valuesOf(column)) {
            const stored = await engine.protect(column, value);
            t.notOk(await refused(column.name, stored), `${column.name}: ${value.length} bytes`);
          }
        }
      });

      await t.test('rejects plaintext, and what begins as a container and is none', async (t) => {
        for (const column of columns) {
          const values = valuesOf(column).slice(0, 5);
          for (const plain of [...PLAINTEXTS, ...values]) {
            t.ok(await refused(column.name, plain), `${column.name}: plaintext ${plain.length}`);
          }
          const stored = await engine.protect(column, values.at(-1) ?? Buffer.alloc(0));
          for (const [what, bytes] of Object.entries(damaged(column, stored))) {
            t.ok(await refused(column.name, bytes), `${column.name}: ${what}`);
          }
        }
      });

      await t.test('rejects a container of a plain column where there must be a hash', async (t) => {
        const [plain] = columns;
        const stored = plain && (await engine.protect(plain, Buffer.from('flu')));
        for (const { name } of columns.filter(({ searchable }) => searchable))
          t.ok(stored && (await refused(name, stored)));
      });

      await t.test('accepts what is kept because it is encrypted already', async (t) => {
        const [plain] = columns;
        const stored = plain ? await engine.protect(plain, Buffer.from('flu')) : Buffer.alloc(0);
        for (const column of columns.filter(({ masking, dataType }) => !masking && !dataType?.startsWith('int'))) {
          for (const value of [stored, stored.subarray(12)]) {
            const kept = await engine.protect(column, value);
            t.same(kept.subarray(hashBytes(column)), value);
            t.notOk(await refused(column.name, kept), column.name);
          }
        }
      });

      await t.test('accepts an AcraStruct that is kept as it came', { skip: program !== 'acra-server' }, async (t) => {
        const struct = await engine.protect(rest.rig.column('struct'), Buffer.from('flu'));
        for (const name of ['kept', 'searched', 'searched_struct', 'plain', 'struct']) {
          for (const value of [struct, struct.subarray(12)]) {
            t.notOk(await refused(name, await engine.protect(rest.rig.column(name), value)), name);
          }
        }
      });

      await t.test('is found again as PostgreSQL writes it', async (t) => {
        await client.query("SET search_path = ''");
        const { rows } = await client.query(
          "SELECT conname AS name, pg_get_constraintdef(oid) AS text FROM pg_catalog.pg_constraint WHERE conname LIKE 'acra_belt_%'",
        );
        await client.query('RESET search_path');
        t.equal(rows.length, columns.length);
        for (const column of columns) {
          const { text } = rows.find(({ name }) => name === beltName(column.name));
          const forms = [column.name, identifier(column.name)].map((name) => `CHECK (${checkAsStored(column, name)})`);
          t.ok(forms.includes(text), text);
        }
      });
    });
  }

  await t.test('fails for no value, and is never unknown', async (t) => {
    const random = seededRandom('belts');
    const values = Array.from({ length: 300 }, (_, length) =>
      Buffer.concat([Buffer.from('%%%').subarray(0, length % 4), random.bytes(length)]),
    );
    const columns = [
      {},
      { searchable: true },
      { envelope: 'acrastruct' },
      { masking: { pattern: 'x', plaintextBytes: 3, side: 'left' } },
    ] as const;
    for (const settings of columns) {
      const { rows } = await client.query(
        `SELECT DISTINCT ${checkFor(columnOf(settings), 'b')} AS holds FROM unnest($1::bytea[]) AS u (b)`,
        [[...values, null]],
      );
      t.same(rows.map(({ holds }) => holds).toSorted(), [false, true]);
    }
  });
});
