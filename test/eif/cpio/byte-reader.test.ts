/** Taking exact numbers of bytes from pieces of any size. */
import t from 'tap';
import { ByteReader } from '../../../eif/cpio/byte-reader.ts';
import { CpioError } from '../../../eif/errors.ts';
import { rejectsCode } from '../../support/coded-error.ts';
import { cut } from '../support/bytes.ts';

const BYTES = Buffer.from('0123456789');

t.test('takes bytes across pieces and knows where it is', async (t) => {
  const reader = new ByteReader(cut(BYTES, 3), 100);
  t.equal((await reader.take(4)).toString(), '0123');
  t.equal((await reader.take(0)).toString(), '');
  t.equal((await reader.take(6)).toString(), '456789');
  t.equal(reader.offset, 10);
  await reader.expectZerosToEnd();
});

t.test('rejects to read past the end (CPIO_TRUNCATED)', async (t) => {
  const reader = new ByteReader([BYTES], 100);
  const error = await rejectsCode(() => reader.take(11), CpioError, 'CPIO_TRUNCATED');
  t.equal(error.offset, 10);
});

t.test('rejects more bytes than its limit, however little they were compressed to (CPIO_TOO_LARGE)', async () => {
  function* endless() {
    for (;;) yield Buffer.alloc(1000);
  }
  const reader = new ByteReader(endless(), 100_000);
  await rejectsCode(() => reader.expectZerosToEnd(), CpioError, 'CPIO_TOO_LARGE');
});
