/** Programs go into an image without what follows their last segment, and are read once for both. */
import { createHash } from 'node:crypto';
import { appendFileSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { writeCpio } from '../../../eif/cpio/writer.ts';
import { EifError } from '../../../eif/errors.ts';
import { readElf } from '../../../eif/rootfs/elf.ts';
import { loadedPart } from '../../../eif/rootfs/loaded-part.ts';
import { rejectsCode } from '../../support/coded-error.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { collect } from '../support/bytes.ts';
import { tinyElf } from './support/tiny-elf.ts';

/** More than one piece. */
const UNLOADED_BYTES = 600_000;

function program(t: Test): string {
  const path = join(temporaryFolder(t), 'program');
  writeFileSync(path, tinyElf({ needed: ['liba.so.1'], unloaded: UNLOADED_BYTES }));
  return path;
}

t.test('keeps what is loaded, forgets the section table, and tells the digest of the whole', async (t) => {
  const original = program(t);
  const whole = readFileSync(original);
  const { source, originalSha256 } = await loadedPart(original);
  const loaded = await collect(source.pieces);
  t.equal(loaded.length, whole.length - UNLOADED_BYTES);
  t.equal(loaded.length, source.size);
  t.equal(await originalSha256, createHash('sha256').update(whole).digest('hex'));
  const copy = join(temporaryFolder(t), 'copy');
  writeFileSync(copy, loaded);
  t.same(await readElf(copy), await readElf(original));
  const sections = [loaded.subarray(0x28, 0x30), loaded.subarray(0x3c, 0x40)];
  t.ok(Buffer.concat(sections).every((byte) => byte === 0));
  t.same(readFileSync(original), whole, 'the original is as it was');
});

t.test('rejects a program that became shorter than what is loaded (EIF_FILE_CHANGED)', async (t) => {
  for (const length of [100, 10, 0]) {
    const path = program(t);
    const { source } = await loadedPart(path);
    truncateSync(path, length);
    const archive = writeCpio([{ type: 'file', name: 'program', mode: 0o755, source }], 'sorted');
    await rejectsCode(() => collect(archive), EifError, 'EIF_FILE_CHANGED');
  }
});

t.test('keeps the digest to what was read when the end of the program changed', async (t) => {
  const path = program(t);
  const { source, originalSha256 } = await loadedPart(path);
  appendFileSync(path, 'x');
  await collect(source.pieces);
  t.equal(await originalSha256, createHash('sha256').update(readFileSync(path)).digest('hex'));
});
