/** The image header and the section header, both ways. */
import fc from 'fast-check';
import t from 'tap';
import { encodeHeader, parseHeader } from '../../../eif/format/header.ts';
import {
  encodeSectionHeader,
  parseSectionHeader,
  SECTION_TYPE,
  type SectionKind,
} from '../../../eif/format/section.ts';

const header = fc.record({
  architecture: fc.constantFrom('x86_64' as const, 'aarch64' as const),
  defaultMemBytes: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  defaultCpus: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  sizes: fc.array(fc.nat({ max: 2 ** 40 }), { minLength: 2, maxLength: 32 }),
  crc32: fc.nat({ max: 0xffff_ffff }),
});

t.test('keeps every header through encoding and parsing', async () => {
  fc.assert(
    fc.property(header, ({ sizes, ...rest }) => {
      let offset = 548;
      const sections = sizes.map((size) => {
        const span = { offset, size };
        offset += 12 + size;
        return span;
      });
      const encoded = encodeHeader({ ...rest, sections });
      const parsed = parseHeader(encoded, offset);
      return (
        encoded.length === 548 &&
        parsed.architecture === rest.architecture &&
        parsed.defaultMemBytes === rest.defaultMemBytes &&
        parsed.defaultCpus === rest.defaultCpus &&
        parsed.crc32 === rest.crc32 &&
        JSON.stringify(parsed.sections) === JSON.stringify(sections)
      );
    }),
    { seed: 1, numRuns: 500 },
  );
});

t.test('keeps each field of the header at its place', async (t) => {
  const bytes = encodeHeader({
    architecture: 'aarch64',
    defaultMemBytes: 0x0102_0304_0506_0708n,
    defaultCpus: 0x1112_1314_1516_1718n,
    sections: [
      { offset: 548, size: 0x21 },
      { offset: 593, size: 0x22 },
    ],
    crc32: 0xdead_beef,
  });
  t.equal(bytes.toString('hex', 0, 8), '2e65696600040001');
  t.equal(bytes.toString('hex', 8, 24), '01020304050607081112131415161718');
  t.equal(bytes.toString('hex', 0x18, 0x1c), '00000002');
  t.equal(bytes.toString('hex', 0x1c, 0x2c), '00000000000002240000000000000251');
  t.equal(bytes.toString('hex', 0x11c, 0x12c), '00000000000000210000000000000022');
  t.equal(bytes.toString('hex', 0x21c), '00000000deadbeef');
});

t.test('keeps every section header through encoding and parsing', async (t) => {
  for (const kind of Object.keys(SECTION_TYPE) as SectionKind[]) {
    const bytes = encodeSectionHeader(kind, 2 ** 40 + 1);
    t.equal(bytes.toString('hex'), `000${SECTION_TYPE[kind]}00000000010000000001`);
    t.same(parseSectionHeader(bytes, 0), { kind, size: 2n ** 40n + 1n });
  }
});
