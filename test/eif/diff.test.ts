/** Two images told apart in the terms of what is in them. */
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { type CompressionChoice, compress } from '../../eif/compress.ts';
import type { CpioItem } from '../../eif/cpio/manifest.ts';
import { writeCpio } from '../../eif/cpio/writer.ts';
import { diffImages } from '../../eif/diff.ts';
import type { EifContent } from '../../eif/format/writer.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { COMPLETE, writeImage, writeSignedImage } from './support/images.ts';

const ITEMS: readonly CpioItem[] = [
  { type: 'directory', name: 'etc', mode: 0o755 },
  { type: 'file', name: 'etc/hosts', mode: 0o644, source: { bytes: Buffer.from('127.0.0.1 localhost\n') } },
  { type: 'symlink', name: 'link', mode: 0o777, target: 'etc' },
];

const withItems = (items: readonly CpioItem[], compression: CompressionChoice = 'none'): EifContent => ({
  ...COMPLETE,
  ramdisks: [[Buffer.from('RAMDISK0')], compress(writeCpio(items, 'sorted'), compression)],
});

const change = (name: string, difference: object): readonly CpioItem[] =>
  ITEMS.map((item) => (item.name === name ? ({ ...item, ...difference } as CpioItem) : item));

async function differences(t: { teardown(fn: () => void): void }, a: EifContent, b: EifContent): Promise<string[]> {
  const found = await diffImages(await writeImage(t, a), await writeImage(t, b));
  return found.map(({ section, entry, field }) =>
    [section, entry, field].filter((part) => part !== undefined).join(' '),
  );
}

t.test('finds nothing between equal files', async (t) => {
  const path = await writeSignedImage(t, 'es384');
  const copy = join(temporaryFolder(t), 'copy.eif');
  copyFileSync(path, copy);
  t.same(await diffImages(path, copy), []);
});

t.test('names what differs outside the ramdisks', async (t) => {
  const other = {
    ...COMPLETE,
    architecture: 'aarch64' as const,
    defaultCpus: 4n,
    kernel: [Buffer.from('LINUX!')],
    cmdline: Buffer.from('panic=1'),
    metadata: Buffer.from(Buffer.from(COMPLETE.metadata).toString().replace('6.12', '6.13')),
  };
  t.same(await differences(t, COMPLETE, other), [
    'header architecture',
    'header defaultCpus',
    'kernel sha256',
    'cmdline text',
    'metadata BuildMetadata.KernelVersion',
  ]);
});

t.test('names metadata that means the same in other bytes', async (t) => {
  const other = { ...COMPLETE, metadata: Buffer.from(`${Buffer.from(COMPLETE.metadata).toString()}\n`) };
  t.same(await differences(t, COMPLETE, other), ['metadata text']);
});

t.test('names command lines and metadata that differ only in bytes that are no text', async (t) => {
  const cmdline = (last: number): EifContent => ({ ...COMPLETE, cmdline: Buffer.from([0x61, last]) });
  t.same(await differences(t, cmdline(0x80), cmdline(0x81)), ['cmdline sha256']);
  const metadata = (last: number): EifContent => {
    const text = Buffer.from(COMPLETE.metadata).toString().replace('6.12', '\0');
    return { ...COMPLETE, metadata: Buffer.from(Buffer.from(text).map((byte) => (byte === 0 ? last : byte))) };
  };
  t.same(await differences(t, metadata(0x80), metadata(0x81)), ['metadata sha256']);
});

const CHANGES: readonly [string, readonly CpioItem[], string[]][] = [
  ['a mode', change('etc/hosts', { mode: 0o600 }), ['etc/hosts mode']],
  ['an owner', change('etc', { uid: 5 }), ['etc owner']],
  ['a time', change('etc', { mtimeS: 5 }), ['etc mtime']],
  ['a target', change('link', { target: 'usr' }), ['link target']],
  [
    'contents',
    change('etc/hosts', { source: { bytes: Buffer.from('::1 localhost\n') } }),
    ['etc/hosts size', 'etc/hosts sha256'],
  ],
];

for (const [what, items, expected] of CHANGES) {
  for (const compression of ['none', 'gzip', 'zstd'] as const) {
    t.test(`names the entry whose ${what} differs, with ${compression} compression`, async (t) => {
      const found = await differences(t, withItems(ITEMS, compression), withItems(items, compression));
      const inEntries = found.filter((place) => !/^ramdisk 1 (size|sha256)$/.test(place));
      t.same(
        inEntries,
        expected.map((place) => `ramdisk 1 ${place}`),
      );
    });
  }
}

t.test('names entries that are missing on one side, field by field', async (t) => {
  const found = await differences(t, withItems(ITEMS), withItems(ITEMS.slice(0, 2)));
  t.ok(found.includes('ramdisk 1 link type'));
  t.ok(found.every((place) => !place.includes('etc')));
});

t.test('names compression and order that differ where entries do not', async (t) => {
  const found = await differences(t, withItems(ITEMS, 'gzip'), withItems(ITEMS, 'zstd'));
  t.same(found, ['ramdisk 1 size', 'ramdisk 1 sha256', 'ramdisk 1 compression']);
});

t.test('compares ramdisks that are no archives as bytes, and names those that are missing', async (t) => {
  const other = { ...COMPLETE, ramdisks: [[Buffer.from('RAMDISK1')]] };
  t.same(await differences(t, COMPLETE, other), [
    'ramdisk 0 sha256',
    'ramdisk 1 size',
    'ramdisk 1 sha256',
    'ramdisk 1 compression',
  ]);
});

t.test('names a signature that one side lacks', async (t) => {
  const found = await diffImages(await writeImage(t, COMPLETE), await writeSignedImage(t, 'es384'));
  t.match(found, [{ section: 'signature', field: 'sha256', a: undefined, b: /^[0-9a-f]{64}$/ }]);
});
