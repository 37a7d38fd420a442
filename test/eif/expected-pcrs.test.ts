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

const B = 'b'.repeat(96);
const MEASUREMENTS = { HashAlgorithm: 'Sha384 { ... }', PCR0: A, PCR1: B, PCR2: A };
/** As nitro-cli describe-enclaves prints it. */
const enclave = (Measurements: object) => ({
  EnclaveName: 'acra-enclave',
  EnclaveID: 'i-0abc-enc123',
  ProcessID: 7077,
  EnclaveCID: 16,
  NumberOfCPUs: 2,
  CPUIDs: [1, 3],
  MemoryMiB: 3072,
  State: 'RUNNING',
  Flags: 'NONE',
  Measurements,
});

t.test('reads what nitro-cli prints of running enclaves, several of one image too', async (t) => {
  const expected = { PCR0: A, PCR1: B, PCR2: A };
  t.same(parse([enclave(MEASUREMENTS)]), expected);
  t.same(parse([enclave(MEASUREMENTS), enclave({ ...MEASUREMENTS, PCR0: A.toUpperCase() })]), expected);
});

t.test('reads what nitro-cli prints of an image: built, with its lines before, and described', async (t) => {
  const built = `Start building the Enclave Image...\nEnclave Image successfully created.\n${JSON.stringify({ Measurements: MEASUREMENTS }, null, 2)}\n`;
  t.match(parseExpectedPcrs(Buffer.from(built)), { PCR0: A });
  t.match(parse({ EifVersion: 4, Measurements: MEASUREMENTS, IsSigned: false, CheckCRC: true }), { PCR1: B });
});

t.test('reads the marks and encodings that redirections write', async (t) => {
  const text = `\u{feff}${JSON.stringify({ Measurements: MEASUREMENTS })}\r\n`;
  const little = Buffer.from(text, 'utf16le');
  t.match(parseExpectedPcrs(Buffer.from(text)), { PCR0: A }, 'UTF-8 with a mark');
  t.match(parseExpectedPcrs(little), { PCR0: A }, 'UTF-16, little-endian');
  t.match(parseExpectedPcrs(Buffer.from(little).swap16()), { PCR0: A }, 'UTF-16, big-endian');
});

t.test('rejects enclaves of different images, and a list of none (EIF_PCR_FILE_INVALID)', async (t) => {
  const different = [enclave(MEASUREMENTS), enclave({ ...MEASUREMENTS, PCR2: B })];
  const error = throwsCode(() => parse(different), EifError, 'EIF_PCR_FILE_INVALID');
  t.match(error.found, '2 enclaves');
  for (const json of [[], [enclave(MEASUREMENTS), {}], [[enclave(MEASUREMENTS)]]]) {
    throwsCode(() => parse(json), EifError, 'EIF_PCR_FILE_INVALID');
  }
  throwsCode(() => parseExpectedPcrs(Buffer.from([0xff, 0xff, 0x7b])), EifError, 'EIF_PCR_FILE_INVALID');
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
