/** Entries of tar archives in the forms that tools write, and in forms that mean something else than a plain file. */
import t from 'tap';
import { OciError } from '../../../../eif/oci/errors.ts';
import { readTar } from '../../../../eif/oci/layers/tar.ts';
import { rejectsCode } from '../../../support/coded-error.ts';
import { summed, TAR_END, type TestEntry, tarEntry, tarOf } from '../support/tar.ts';

async function* cut(bytes: Buffer, length: number): AsyncGenerator<Buffer, void> {
  // One buffer for all pieces: the reader must not count on them.
  const piece = Buffer.alloc(length);
  for (let at = 0; at < bytes.length; at += length) {
    const part = bytes.subarray(at, at + length);
    piece.fill(0xff);
    part.copy(piece);
    yield piece.subarray(0, part.length);
  }
}

async function list(archive: Buffer, length = 1_000): Promise<readonly object[]> {
  const entries: object[] = [];
  for await (const entry of readTar(cut(archive, length))) {
    if (entry.kind !== 'file') {
      entries.push(entry);
      continue;
    }
    const pieces: Uint8Array[] = [];
    for await (const piece of entry.body) pieces.push(piece);
    const { body: _, ...rest } = entry;
    entries.push({ ...rest, text: Buffer.concat(pieces).toString() });
  }
  return entries;
}

const LONG = `${'a-long-folder-name/'.repeat(20)}file`;

t.test('reads long names of pax and of GNU tar, and the data of files, however the pieces are cut', async (t) => {
  const entries: readonly TestEntry[] = [
    { name: LONG, text: 'pax' },
    { name: LONG, text: 'gnu', isGnu: true },
    { name: 'l', type: '2', target: LONG },
    { name: 'l', type: '2', target: LONG, isGnu: true },
    { name: 'é', text: 'x'.repeat(5_000) },
    { name: 'empty' },
  ];
  const archive = tarOf(entries);
  const whole = await list(archive, archive.length);
  t.match(whole, [
    { path: LONG, text: 'pax' },
    { path: LONG, text: 'gnu' },
    { kind: 'symlink', target: LONG },
    { kind: 'symlink', target: LONG },
    { path: 'é', text: /^x{5000}$/ },
    { path: 'empty', text: '' },
  ]);
  for (const length of [1, 511, 513]) t.same(await list(archive, length), whole);
});

t.test('goes on to the next entry when nobody reads the data of one', async (t) => {
  const names: string[] = [];
  for await (const { path } of readTar(cut(tarOf([{ name: 'a', text: 'x'.repeat(3_000) }, { name: 'b' }]), 700)))
    names.push(path);
  t.same(names, ['a', 'b']);
});

t.test('tells file capabilities and other extended attributes, in the spelling of both tools', async (t) => {
  const entries = await list(
    tarOf([
      { name: 'a', pax: { 'SCHILY.xattr.security.capability': 'x', 'SCHILY.xattr.user.note': 'y' } },
      { name: 'b', pax: { 'LIBARCHIVE.xattr.security.capability': 'x' } },
      { name: 'c', pax: { comment: 'nothing' } },
    ]),
  );
  t.match(entries, [
    { isCapable: true, attributes: 1 },
    { isCapable: true, attributes: 0 },
    { isCapable: false, attributes: 0 },
  ]);
});

const REFUSED: readonly (readonly [string, Buffer])[] = [
  ['a sparse file of GNU tar', tarOf([{ name: 'holes', type: 'S', text: 'x' }])],
  ['a sparse file of pax', tarOf([{ name: 'holes', pax: { 'GNU.sparse.major': '1' }, text: 'x' }])],
  ['a part of another volume', tarOf([{ name: 'a', type: 'M', text: 'x' }])],
  [
    'a type that nobody knows, after data',
    tarOf([
      { name: 'a', text: 'x'.repeat(600) },
      { name: 'b', type: 'Z' },
    ]),
  ],
  [
    'a size that is told twice, so that a header hides in the data',
    Buffer.concat([
      tarEntry({ name: 'a', pax: { size: '0' }, bytes: tarEntry({ name: 'holes', type: 'S', text: 'x' }) }),
      TAR_END,
    ]),
  ],
  ['a name that begins with a byte order mark, which would be lost', tarOf([{ name: '\ufeffa' }])],
  ['such a target of a link', tarOf([{ name: 'a', type: '2', target: '\ufeffa' }])],
  ['a name that is no UTF-8', tarOf([{ name: 'caf\ufffd' }])],
  ['a header with a wrong checksum', Buffer.concat([Buffer.alloc(512, 'x'), TAR_END])],
  ['an archive that is cut off', tarOf([{ name: 'a', text: 'x'.repeat(600) }]).subarray(0, 900)],
  ['an archive without its end', tarEntry({ name: 'a', text: 'x' })],
  ['an entry after the end', Buffer.concat([tarOf([{ name: 'a' }]), tarEntry({ name: 'b' })])],
];

for (const [what, archive] of REFUSED) {
  t.test(`rejects ${what} (EIF_OCI_LAYER)`, async () => {
    for (const length of [100, archive.length])
      await rejectsCode(() => list(archive, length), OciError, 'EIF_OCI_LAYER');
  });
}

t.test('tells what is no archive from one that is damaged further on', async (t) => {
  const xz = Buffer.concat([Buffer.from('fd377a585a00', 'hex'), Buffer.alloc(1_018, 7)]);
  t.match((await rejectsCode(() => list(xz), OciError, 'EIF_OCI_LAYER')).message, /no tar archive/);
  const damaged = Buffer.concat([tarEntry({ name: 'a' }), Buffer.alloc(512, 'x'), TAR_END]);
  t.match((await rejectsCode(() => list(damaged), OciError, 'EIF_OCI_LAYER')).message, /damaged/);
});

t.test('names the entry and the type that it does not know', async (t) => {
  const archive = tarOf([{ name: 'some/holes', type: 'S', text: 'x' }]);
  const error = await rejectsCode(() => list(archive), OciError, 'EIF_OCI_LAYER');
  t.match(error.message, /some\/holes/);
  t.match(error.found, /sparse/);
});

t.test('reads a size that stands in both headers', async () => {
  t.match(await list(tarOf([{ name: 'a', text: 'xyz', pax: { size: '3' } }])), [{ path: 'a', size: 3 }]);
});

t.test('reads a size in base 256', async (t) => {
  const entry = tarEntry({ name: 'a', text: 'five5' });
  entry.fill(0, 124, 136);
  entry[124] = 0x80;
  entry[135] = 5;
  t.match(await list(Buffer.concat([summed(entry), TAR_END])), [{ text: 'five5' }]);
});

t.test('takes NUL and 7 as types of files, as old archives have them', async (t) => {
  const entries = await list(
    tarOf([
      { name: 'old', type: '\0', text: 'a' },
      { name: 'contiguous', type: '7', text: 'b' },
    ]),
  );
  t.match(entries, [
    { kind: 'file', text: 'a' },
    { kind: 'file', text: 'b' },
  ]);
});
