/** SASLprep's tables against Python's, and its steps against the examples of the RFC; test/postgres/scram/client-database.test.ts asks PostgreSQL. */
import { createHash } from 'node:crypto';
import t from 'tap';
import { preparePassword } from '../../../postgres/scram/saslprep.ts';
import {
  isIn,
  LEFT_TO_RIGHT,
  MAPPED_TO_NOTHING,
  NON_ASCII_SPACES,
  PROHIBITED,
  RIGHT_TO_LEFT,
  UNASSIGNED,
} from '../../../postgres/scram/saslprep-tables.ts';

/** SHA-256 of one byte for each code point, 1 where the table has it: from the functions in_table_… of Python 3's stringprep. */
const MEMBERS = [
  ['NON_ASCII_SPACES', NON_ASCII_SPACES, 17, '8ade3f390f659ea25adbd87a8cd5a65be6ba57c700cfa07595d6bb447c8676a6'],
  ['MAPPED_TO_NOTHING', MAPPED_TO_NOTHING, 27, '736244fb8a21b26ebbca18ac03c47e7eccd90cfc0c7471a778812619280f6683'],
  ['PROHIBITED', PROHIBITED, 139_813, 'b3cfcc58c3c338e73a27d41eccb3d47747a1a57d77412ed9bcf35c93d38b6d0f'],
  ['UNASSIGNED', UNASSIGNED, 879_309, 'f1a45b0334ff4e4c347270ee5e3968516bfa2e42b51bb5a3d46bd683e7cf3c29'],
  ['RIGHT_TO_LEFT', RIGHT_TO_LEFT, 1044, '7758885bca841e836436adc4900c7df6d5e1e218f5f29e16e8dceec42c7b5ef3'],
  ['LEFT_TO_RIGHT', LEFT_TO_RIGHT, 229_973, 'b50efbe349aa954d05f73a18e17e60e78e1c01a18a541ba93df8b2cdf3235c48'],
] as const;
for (const [name, table, count, sha256] of MEMBERS) {
  t.test(`finds each code point of ${name}, and no other`, async (t) => {
    const members = Buffer.from(Uint8Array.from({ length: 0x11_0000 }, (_, at) => Number(isIn(table, at))));
    t.equal(
      members.reduce((sum, each) => sum + each, 0),
      count,
    );
    t.equal(createHash('sha256').update(members).digest('hex'), sha256);
  });
}

const prepared = (text: string) => preparePassword(Buffer.from(text)).toString();

t.test("follows RFC 4013's examples, and takes refused ones as they are", async (t) => {
  t.equal(prepared('I\u00adX'), 'IX');
  t.equal(prepared('user'), 'user');
  t.equal(prepared('USER'), 'USER');
  t.equal(prepared('\u00aa'), 'a');
  t.equal(prepared('\u2168'), 'IX');
  t.equal(prepared('\u0007'), '\u0007', 'prohibited');
  t.equal(prepared('\u06271'), '\u06271', 'bidirectional');
});

t.test('looks at characters before they are normalised, as PostgreSQL does', async (t) => {
  t.equal(prepared('a\u0340\u2168'), 'a\u0340\u2168', 'prohibited, though it would become U+0300');
  t.equal(prepared('\u{1f100}\u2168'), '\u{1f100}\u2168', 'unassigned, though it would become "0."');
});

t.test('takes what is not UTF-8 as it is', async (t) => {
  for (const bytes of ['ff', 'c3a9ff', 'c0af', 'eda080', 'f4908080', 'e28685c3', 'c3']) {
    t.equal(preparePassword(Buffer.from(bytes, 'hex')).toString('hex'), bytes);
  }
});

t.test('gives a copy to wipe, and leaves the password as it is', async (t) => {
  for (const text of ['pencil', 'p\u00e9ncil', '\u0007\u00e9']) {
    const password = Buffer.from(text);
    preparePassword(password).fill(0);
    t.equal(password.toString(), text);
  }
  t.equal(prepared(''), '');
  t.equal(prepared('\ufeffbom\u00e9'), 'bom\u00e9');
  t.equal(prepared('\u00ad'), '\u00ad', 'nothing would be left of it');
});
