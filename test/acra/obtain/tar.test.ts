import fc from 'fast-check';
import t from 'tap';
import { AcraError } from '../../../acra/errors.ts';
import { readTar } from '../../../acra/obtain/tar.ts';
import { rejectsCode } from '../../support/coded-error.ts';
import { makeTar } from '../support/tar-writer.ts';

const read = readTar;
const refuse = (archive: Buffer) => rejectsCode(() => read(archive), AcraError, 'ACRA_IMAGE_INVALID');

const pax = (...records: string[]) => ({
  path: 'pax',
  type: 'x',
  content: records
    .map((record) => {
      const body = record.length + 2;
      const length = body + String(body + String(body).length).length;
      return `${length} ${record}\n`;
    })
    .join(''),
});

t.test('reads files, folders and links', async (t) => {
  const entries = await read(
    makeTar([
      { path: 'etc/', type: '5', mode: 0o755 },
      { path: 'etc/a', content: 'hello', mode: 0o755 },
      { path: 'b', type: '2', target: 'etc/a' },
      { path: 'c', type: '1', target: 'etc/a' },
    ]),
  );
  t.match(entries, [
    { type: 'folder', path: 'etc/' },
    { type: 'file', path: 'etc/a', mode: 0o755, content: Buffer.from('hello') },
    { type: 'symlink', path: 'b', target: 'etc/a' },
    { type: 'hardlink', path: 'c', target: 'etc/a' },
  ]);
});

t.test('takes long names from pax and GNU headers, for the next entry only', async (t) => {
  const [one, two, three] = await read(
    makeTar([
      pax('path=long/name'),
      { path: 'short', content: '1' },
      { path: '././@LongLink', type: 'L', content: 'gnu/name\0' },
      { path: 'short', content: '2' },
      { path: 'plain', content: '3' },
    ]),
  );
  t.same([one?.path, two?.path, three?.path], ['long/name', 'gnu/name', 'plain']);
});

t.test('takes the prefix of a ustar header', async (t) => {
  const archive = makeTar([{ path: 'name', content: 'x' }]);
  archive.write('folder', 345);
  const sum = 'folder'.split('').reduce((total, letter) => total + letter.charCodeAt(0), 0);
  const old = Number.parseInt(archive.toString('latin1', 148, 154), 8);
  archive.write((old + sum).toString(8).padStart(6, '0'), 148);
  t.equal((await read(archive))[0]?.path, 'folder/name');
});

const archive = makeTar([{ path: 'a', content: 'hello' }]);
for (const type of ['3', '4', '6']) {
  t.test(`rejects an entry of type ${type} (ACRA_IMAGE_INVALID)`, async () => {
    await refuse(makeTar([{ path: 'dev', type }]));
  });
}

t.test('rejects an archive that is cut off inside a header or a file (ACRA_IMAGE_INVALID)', async () => {
  for (let length = 1; length < 517; length++) await refuse(archive.subarray(0, length));
});

t.test('rejects a header with any bit changed (ACRA_IMAGE_INVALID)', async () => {
  for (let at = 0; at < 512; at++) {
    const changed = Buffer.from(archive);
    changed[at]! ^= 1;
    if (at >= 148 && at < 156) continue;
    await refuse(changed);
  }
});

t.test('rejects a file with holes and sizes that go beyond the archive (ACRA_IMAGE_INVALID)', async () => {
  for (const record of ['GNU.sparse.major=1', 'GNU.sparse.size=9', 'size=99999']) {
    await refuse(makeTar([pax(record), { path: 'a', content: 'x' }]));
  }
});

t.test('never fails otherwise than with its code', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ minLength: 512, maxLength: 2048 }), async (bytes) => {
      await refuse(Buffer.from(bytes));
    }),
    { numRuns: 100, seed: 4 },
  );
});
