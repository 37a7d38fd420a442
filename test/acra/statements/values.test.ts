import fc from 'fast-check';
import t from 'tap';
import { decodeBytea, encodeBytea, protectValue } from '../../../acra/statements/values.ts';
import { sqlStateOf } from '../../emulator/acra-server/support/sql-state.ts';
import { column, vectorCipher } from '../../emulator/acra-server/support/vector-cipher.ts';

/** bytea_output = escape, as PostgreSQL writes it. */
function escapeForm(bytes: Uint8Array): string {
  const one = (byte: number) => {
    if (byte === 0x5c) return '\\\\';
    return byte < 0x20 || byte > 0x7e ? `\\${byte.toString(8).padStart(3, '0')}` : String.fromCharCode(byte);
  };
  return [...bytes].map(one).join('');
}

t.test('reads any bytes back from both text forms of bytea', async (t) => {
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      t.same(decodeBytea(Buffer.from(encodeBytea(Buffer.from(bytes)))), Buffer.from(bytes));
      t.same(decodeBytea(Buffer.from(escapeForm(bytes))), Buffer.from(bytes));
    }),
    { seed: 1, numRuns: 200 },
  );
});

t.test('rejects text that PostgreSQL would not take as bytea', async (t) => {
  for (const text of ['\\', '\\x0', '\\xzz', '\\x00 01', '\\400', '\\12', 'a\\b']) {
    t.equal(decodeBytea(Buffer.from(text)), undefined, text);
  }
});

t.test('reads 2 MB in escape form', async (t) => {
  const text = Buffer.alloc(2e6, 'a\\\\b');
  t.equal(decodeBytea(text)?.length, 1.5e6);
});

t.test('keeps a text for a str column exactly, and reads one for a bytes column as bytea', async (t) => {
  const cipher = await vectorCipher(t);
  const stored = (name: string, text: string, isBinary = false) => {
    const use = { column: column(name), role: 'store' } as const;
    return cipher.reveal(protectValue(cipher, use, Buffer.from(text), isBinary)).bytes.toString();
  };
  t.equal(stored('secret', '\\x4142'), '\\x4142');
  t.equal(stored('secret', 'a\\b'), 'a\\b');
  t.equal(stored('blob', '\\x4142'), 'AB');
  t.equal(stored('blob', '\\x4142', true), '\\x4142');
  t.equal(
    sqlStateOf(() => stored('blob', 'a\\b')),
    '22P02',
  );
});

t.test('stores equal searchable values under equal prefixes, and an empty value as it is', async (t) => {
  const cipher = await vectorCipher(t);
  const email = column('email');
  const stored = cipher.encrypt(email, Buffer.from('ada@example.org'));
  t.same(stored.subarray(0, 33), cipher.searchHash(email, Buffer.from('ada@example.org')));
  t.notSame(stored, cipher.encrypt(email, Buffer.from('ada@example.org')));
  t.same(cipher.encrypt(email, Buffer.alloc(0)), Buffer.alloc(0));
  t.same(cipher.searchHash(email, Buffer.alloc(0)), Buffer.alloc(0));
});
