/** Reads back what the writer, linuxkit and GNU cpio write; refuses everything else with a code of its own. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import t from 'tap';
import type { CpioItem } from '../../../eif/cpio/manifest.ts';
import { encodeEntry } from '../../../eif/cpio/newc.ts';
import { type CpioEntry, readCpio } from '../../../eif/cpio/reader.ts';
import { writeCpio } from '../../../eif/cpio/writer.ts';
import { CpioError } from '../../../eif/errors.ts';
import type { ByteSource } from '../../../eif/format/writer.ts';
import { rejectsCode } from '../../support/coded-error.ts';
import { collect, cut } from '../support/bytes.ts';
import { vector } from '../support/vectors.ts';

const archive = readFileSync(vector('linuxkit-mixed.cpio'));
/** Offsets in it: the second entry's header, the padding after its name, its data. */
const SECOND = 116;

async function list(source: ByteSource): Promise<CpioEntry[]> {
  const entries: CpioEntry[] = [];
  for await (const entry of readCpio(source)) entries.push(entry);
  return entries;
}

function changed(offset: number, text: string): Buffer {
  const copy = Buffer.from(archive);
  copy.write(text, offset, 'latin1');
  return copy;
}

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

t.test("lists linuxkit's archive", async (t) => {
  const entries = await list([archive]);
  t.same(
    entries.map(({ name, type, mode }) => `${name} ${type} ${mode.toString(8)}`),
    [
      'dev directory 755',
      'init file 755',
      'nsm.ko file 755',
      'link symlink 777',
      'dev/null character 666',
      's file 4755',
    ],
  );
  t.match(entries[0]?.header, { inode: 721, links: 2, deviceMajor: 3, deviceMinor: 1, mtimeS: 1_492_533_000 });
  t.equal(entries[1]?.sha256, sha256('init'.repeat(100)));
  t.equal(entries[3]?.target, '/proc/mounts');
  t.match(entries[4]?.header, { nodeMajor: 1, nodeMinor: 3, uid: 7 });
});

t.test('lists the same however the pieces are cut', async (t) => {
  const whole = await list([archive]);
  for (const length of [1, 7, 111, 512]) t.same(await list(cut(archive, length)), whole);
});

t.test('keeps every manifest through writing and reading', async () => {
  const names = fc.uniqueArray(fc.stringMatching(/^[a-zé0-9_-]{1,12}$/), { maxLength: 8 });
  const numbers = fc.record({ mode: fc.nat(0o7777), uid: fc.nat(0xffff_ffff), gid: fc.nat(), mtimeS: fc.nat() });
  const kinds = fc.oneof(
    fc.record({ type: fc.constant('file' as const), source: fc.record({ bytes: fc.uint8Array({ maxLength: 50 }) }) }),
    fc.record({ type: fc.constant('symlink' as const), target: fc.stringMatching(/^[a-z/]{1,20}$/) }),
    fc.record({ type: fc.constant('directory' as const) }),
    fc.record({ type: fc.constant('block' as const), major: fc.nat(), minor: fc.nat() }),
  );
  const manifest = fc.tuple(names, fc.infiniteStream(numbers), fc.infiniteStream(kinds));
  await fc.assert(
    fc.asyncProperty(manifest, async ([list_, numbersOf, kindsOf]) => {
      const items = list_.map((name) => ({ name, ...numbersOf.next().value, ...kindsOf.next().value }) as CpioItem);
      const entries = await list([await collect(writeCpio(items, 'given'))]);
      return items.every((item, index) => {
        const { name, type, mode, header } = entries[index]!;
        const same = name === item.name && type === item.type && mode === item.mode;
        return same && header.uid === item.uid && header.gid === item.gid && header.mtimeS === item.mtimeS;
      });
    }),
    { seed: 3, numRuns: 300 },
  );
});

t.test('rejects another magic, the checksummed form included (CPIO_MAGIC)', async (t) => {
  const error = await rejectsCode(() => list([changed(SECOND, '070702')]), CpioError, 'CPIO_MAGIC');
  t.equal(error.offset, SECOND);
});

t.test('rejects fields that are not hexadecimal or out of range (CPIO_FIELD)', async () => {
  for (const [field, text] of [
    [0, '0000002g'],
    [0, '  000001'],
    [11, '00000001'],
    [11, '00001001'],
    [12, '00000001'],
    [1, '00000000'],
    [1, '000181ed'],
  ] as const) {
    await rejectsCode(() => list([changed(SECOND + 6 + 8 * field, text)]), CpioError, 'CPIO_FIELD');
  }
});

t.test('rejects data in a folder (CPIO_FIELD)', async () => {
  await rejectsCode(() => list([changed(6 + 8 * 6, '00000004')]), CpioError, 'CPIO_FIELD');
});

t.test('rejects a name that ends before or after its NUL byte (CPIO_NAME)', async () => {
  await rejectsCode(() => list([changed(SECOND + 110, 'in\0t')]), CpioError, 'CPIO_NAME');
  await rejectsCode(() => list([changed(SECOND + 110, 'initx')]), CpioError, 'CPIO_NAME');
});

t.test('rejects padding that is not zero (CPIO_PADDING)', async (t) => {
  const error = await rejectsCode(() => list([changed(SECOND + 115, 'x')]), CpioError, 'CPIO_PADDING');
  t.equal(error.offset, SECOND + 115);
});

t.test('rejects bytes after the trailer (CPIO_TRAILING_BYTES)', async () => {
  await rejectsCode(() => list([archive, Buffer.from('x')]), CpioError, 'CPIO_TRAILING_BYTES');
  await list([archive, Buffer.alloc(100_000)]);
});

/** An endless archive of names, or of link targets, of almost the longest kind. */
function* endless(what: 'names' | 'targets'): Generator<Buffer> {
  const long = 'x'.repeat(4092);
  const [name, target] = what === 'names' ? [long, 'x'] : ['x', long];
  const numbers = { uid: 0, gid: 0, links: 1, mtimeS: 0, deviceMajor: 0, deviceMinor: 0, nodeMajor: 0, nodeMinor: 0 };
  const header = encodeEntry(name, { ...numbers, inode: 1, mode: 0o120777, size: target.length });
  const entry = Buffer.concat([header, Buffer.from(target.padEnd(Math.ceil(target.length / 4) * 4, '\0'))]);
  for (;;) yield entry;
}

for (const what of ['names', 'targets'] as const) {
  t.test(`rejects ${what} of more than 64 MiB (CPIO_TOO_LARGE)`, async (t) => {
    const { offset } = await rejectsCode(() => list(endless(what)), CpioError, 'CPIO_TOO_LARGE');
    t.ok(offset! > 2 ** 26 && offset! < 1.1 * 2 ** 26, 'no sooner and hardly later');
  });
}

t.test('rejects an archive without its trailer, and a size beyond its end (CPIO_TRUNCATED)', async () => {
  const trailer = archive.indexOf('TRAILER!!!');
  for (const end of [0, 1, 109, 300, trailer, trailer + 9]) {
    await rejectsCode(() => list([archive.subarray(0, end)]), CpioError, 'CPIO_TRUNCATED');
  }
  await rejectsCode(() => list([changed(SECOND + 6 + 8 * 6, 'ffffffff')]), CpioError, 'CPIO_TRUNCATED');
});

t.test('ends its source when it stops early', async (t) => {
  let isEnded = false;
  async function* source() {
    try {
      for (;;) yield Buffer.from('no archive');
    } finally {
      isEnded = true;
    }
  }
  await rejectsCode(() => list(source()), CpioError, 'CPIO_MAGIC');
  t.ok(isEnded);
});

t.test('keeps to its own codes whatever the bytes are', async () => {
  const edits = fc.array(fc.tuple(fc.nat(archive.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 });
  await fc.assert(
    fc.asyncProperty(edits, async (changes) => {
      const damaged = Buffer.from(archive);
      for (const [at, value] of changes) damaged.writeUInt8(value, at);
      try {
        await list([damaged]);
      } catch (error) {
        if (!(error instanceof CpioError)) throw error;
      }
    }),
    { seed: 4, numRuns: 2000 },
  );
});

const NAMES: readonly CpioItem[] = [
  { type: 'file', name: 'a', mode: 0o644, source: { bytes: Buffer.from('shared') } },
  { type: 'hardlink', name: 'b', to: 'a' },
];

t.test('lists every name of a file with the digest of its contents', async (t) => {
  const [a, b] = await list([await collect(writeCpio(NAMES, 'given'))]);
  t.equal(b?.sha256, a?.sha256);
  t.equal(b?.header.inode, a?.header.inode);
});

t.test(
  'rejects a further name that brings other contents, which the kernel would write over the first (CPIO_FIELD)',
  async () => {
    const archive = await collect(writeCpio([NAMES[0]!, { ...NAMES[0]!, name: 'b' } as CpioItem], 'given'));
    const text = archive
      .toString('latin1')
      .replace(/000002d2/, '000002d1')
      .replaceAll(/(000081a4.{16})00000001/g, '$100000002');
    await rejectsCode(() => list([Buffer.from(text, 'latin1')]), CpioError, 'CPIO_FIELD');
  },
);
