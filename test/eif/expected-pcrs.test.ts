/** Files with the PCRs that are expected of an image. */
import t from 'tap';
import { EifError } from '../../eif/errors.ts';
import { parseExpectedPcrs, readExpectedPcrs } from '../../eif/expected-pcrs.ts';
import { rejectsCode, throwsCode } from '../support/coded-error.ts';
import { writeBytes } from './support/images.ts';

const A = 'a'.repeat(96);
const parse = (json: unknown) => parseExpectedPcrs(Buffer.from(JSON.stringify(json)));

t.test("reads nitro-cli's output and plain objects, in either case", async (t) => {
  t.same(parse({ Measurements: { HashAlgorithm: 'Sha384 { ... }', PCR0: A, PCR8: A.toUpperCase() } }), {
    PCR0: A,
    PCR8: A,
  });
  t.same(parse({ PCR1: A, PCR2: A }), { PCR1: A, PCR2: A });
  t.same(await readExpectedPcrs(writeBytes(t, Buffer.from(JSON.stringify({ PCR0: A })))), { PCR0: A });
});

t.test('rejects files that expect nothing, or no PCR values (EIF_PCR_FILE_INVALID)', async () => {
  for (const json of [
    null,
    [],
    {},
    { Measurements: {} },
    { Measurements: null },
    { PCR0: 'aa' },
    { PCR0: A, PCR1: `${A}00` },
    { PCR0: 5 },
  ]) {
    throwsCode(() => parse(json), EifError, 'EIF_PCR_FILE_INVALID');
  }
  throwsCode(() => parseExpectedPcrs(Buffer.from('PCR0')), EifError, 'EIF_PCR_FILE_INVALID');
});

t.test('rejects a file that cannot be read (EIF_FILE_READ)', async () => {
  await rejectsCode(() => readExpectedPcrs('/nonexistent'), EifError, 'EIF_FILE_READ');
});
