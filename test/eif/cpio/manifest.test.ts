/** What may not go into an archive. */
import t from 'tap';
import { arrange, type CpioItem, checkFileSize } from '../../../eif/cpio/manifest.ts';
import { writeCpio } from '../../../eif/cpio/writer.ts';
import { CpioError } from '../../../eif/errors.ts';
import { rejectsCode, throwsCode } from '../../support/coded-error.ts';
import { collect } from '../support/bytes.ts';

const folder = (name: string): CpioItem => ({ type: 'directory', name, mode: 0o755 });
const link = (name: string, extra: Partial<CpioItem> = {}): CpioItem =>
  ({ type: 'symlink', name, mode: 0o777, target: 'x', ...extra }) as CpioItem;

for (const name of [
  '',
  '/',
  '/etc',
  'etc/',
  'a//b',
  '.',
  './a',
  'a/..',
  '../a',
  'a\0b',
  'TRAILER!!!',
  '\ud800',
  'n'.repeat(4096),
]) {
  t.test(`rejects the name ${JSON.stringify(name).slice(0, 20)} (CPIO_NAME)`, async () => {
    throwsCode(() => arrange([folder('a'), link(name)], 'given'), CpioError, 'CPIO_NAME');
  });
}

t.test('rejects a name that is listed twice (CPIO_DUPLICATE)', async () => {
  throwsCode(() => arrange([link('a'), folder('a')], 'sorted'), CpioError, 'CPIO_DUPLICATE');
});

t.test('rejects an entry in a folder that is missing, later or no folder (CPIO_PARENT_MISSING)', async (t) => {
  throwsCode(() => arrange([link('a/b')], 'sorted'), CpioError, 'CPIO_PARENT_MISSING');
  throwsCode(() => arrange([link('a/b'), folder('a')], 'given'), CpioError, 'CPIO_PARENT_MISSING');
  throwsCode(() => arrange([link('a'), link('a/b')], 'given'), CpioError, 'CPIO_PARENT_MISSING');
  t.equal(arrange([link('a/b'), folder('a')], 'sorted').length, 2);
});

t.test('rejects modes of more than 12 bits (CPIO_NUMBER_RANGE)', async () => {
  for (const mode of [-1, 0o10000, 0.5, Number.NaN]) {
    throwsCode(() => arrange([link('a', { mode })], 'given'), CpioError, 'CPIO_NUMBER_RANGE');
  }
});

t.test('rejects owners, times and device numbers of more than 32 bits (CPIO_NUMBER_RANGE)', async () => {
  const device: CpioItem = { type: 'block', name: 'a', mode: 0o600, major: 2 ** 32, minor: 0 };
  const items = [link('a', { uid: 2 ** 32 }), link('a', { gid: -1 }), link('a', { mtimeS: 1.5 }), device];
  for (const item of items)
    await rejectsCode(() => collect(writeCpio([item], 'given')), CpioError, 'CPIO_NUMBER_RANGE');
});

t.test('rejects files of 4 GiB (CPIO_NUMBER_RANGE)', async () => {
  checkFileSize('a', 2 ** 32 - 1);
  throwsCode(() => checkFileSize('a', 2 ** 32), CpioError, 'CPIO_NUMBER_RANGE');
});

t.test('rejects a further name of what is no file before it (CPIO_LINK_TARGET)', async () => {
  const file: CpioItem = { type: 'file', name: 'b', mode: 0o644, source: { bytes: Buffer.alloc(0) } };
  const hard = (name: string, to: string): CpioItem => ({ type: 'hardlink', name, to });
  for (const items of [[hard('a', 'b'), file], [hard('a', 'nothing')], [folder('d'), hard('e', 'd')]])
    throwsCode(() => arrange(items, 'given'), CpioError, 'CPIO_LINK_TARGET');
});
