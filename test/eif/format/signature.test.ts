/** CBOR of the signature section and of the signed register; golden bytes from nitro-formats 3.1. */
import t from 'tap';
import { EifError } from '../../../eif/errors.ts';
import {
  encodeSignatureSection,
  encodeSignedRegister,
  parseSignatureSection,
  parseSignedRegister,
} from '../../../eif/format/signature.ts';
import { throwsCode } from '../../support/coded-error.ts';

const PCR = Buffer.from(Array.from({ length: 48 }, (_, index) => index));
const REGISTER =
  'a26e72656769737465725f696e646578006e72656769737465725f76616c75659830000102030405060708090a0b0c0d0e0f101112131415161718181819181a181b181c181d181e181f1820182118221823182418251826182718281829182a182b182c182d182e182f';
const CERTIFICATE = Buffer.from('-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n');
const COSE = Buffer.from('d28444a1013822a04040', 'hex');
const SECTION =
  '81a2737369676e696e675f6365727469666963617465983b182d182d182d182d182d1842184518471849184e182018431845185218541849184618491843184118541845182d182d182d182d182d0a184d1849184918420a182d182d182d182d182d1845184e1844182018431845185218541849184618491843184118541845182d182d182d182d182d0a697369676e61747572658a18d21884184418a1011838182218a018401840';

const refuses = (hex: string, parse: (bytes: Buffer) => unknown = parseSignatureSection) =>
  throwsCode(() => parse(Buffer.from(hex, 'hex')), EifError, 'EIF_SIGNATURE_SYNTAX');

t.test('writes the golden bytes of the signed register', async (t) => {
  t.equal(encodeSignedRegister(PCR).toString('hex'), REGISTER);
  t.same(parseSignedRegister(Buffer.from(REGISTER, 'hex')), PCR);
});

t.test('writes the golden bytes of a signature section', async (t) => {
  t.equal(encodeSignatureSection({ certificatePem: CERTIFICATE, coseSign1: COSE }).toString('hex'), SECTION);
  t.same(parseSignatureSection(Buffer.from(SECTION, 'hex')), { certificatePem: CERTIFICATE, coseSign1: COSE });
});

t.test('rejects a section with another number of signatures than 1 (EIF_SIGNATURE_SYNTAX)', async () => {
  refuses('80');
  refuses(`82${SECTION.slice(2)}${SECTION.slice(2)}`);
});

t.test('rejects a section that is no array of maps with the two keys (EIF_SIGNATURE_SYNTAX)', async () => {
  for (const hex of ['', '00', '8100', '81a0', '81a1697369676e617475726580', SECTION.replace('81a2', '81a3')])
    refuses(hex);
});

t.test('rejects byte values over 255 and values that are no integers (EIF_SIGNATURE_SYNTAX)', async () => {
  refuses(SECTION.replace('0a697369676e', '190100697369676e'));
  refuses(SECTION.replace('8a18d2', '8a20'));
  refuses(SECTION.replace(/8a18d2.*$/, '43d28444'));
});

t.test('rejects trailing and missing bytes (EIF_SIGNATURE_SYNTAX)', async (t) => {
  refuses(`${SECTION}00`);
  const error = throwsCode(
    () => parseSignatureSection(Buffer.from(SECTION, 'hex').subarray(0, -1), 99),
    EifError,
    'EIF_SIGNATURE_SYNTAX',
  );
  t.equal(error.offset, 99);
});

t.test('rejects a signed register other than PCR0 with 48 bytes (EIF_SIGNATURE_SYNTAX)', async () => {
  refuses(REGISTER.replace('696e64657800', '696e64657801'), parseSignedRegister);
  refuses(encodeSignedRegister(PCR.subarray(1)).toString('hex'), parseSignedRegister);
});

t.test('rejects certificates that do not fit in a section (EIF_SECTION_TOO_LARGE)', async () => {
  const section = { certificatePem: Buffer.alloc(20_000, 'x'), coseSign1: COSE };
  throwsCode(() => encodeSignatureSection(section), EifError, 'EIF_SECTION_TOO_LARGE');
});

t.test(
  'rejects a section that no image may have, whatever the size of its certificates (EIF_SECTION_TOO_LARGE)',
  async () => {
    for (const bytes of [20_000, 40_000, 65_536]) {
      const section = { certificatePem: Buffer.alloc(bytes, 'A'), coseSign1: Buffer.alloc(100) };
      throwsCode(() => encodeSignatureSection(section), EifError, 'EIF_SECTION_TOO_LARGE');
    }
  },
);
