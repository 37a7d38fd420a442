/** What a signature section must be for an image to count as signed. */
import { readFileSync } from 'node:fs';
import t from 'tap';
import { EifError } from '../../../eif/errors.ts';
import { encodeSignatureSection, encodeSignedRegister, parseSignatureSection } from '../../../eif/format/signature.ts';
import { parseImageSignature, signPcr0, verifySignatureSection } from '../../../eif/sign/signature.ts';
import { encodeCoseSign1 } from '../../../encoding/cose-sign1.ts';
import { throwsCode } from '../../support/coded-error.ts';
import { chainOf, keyOf, vector } from '../support/vectors.ts';

const PCR0 = Buffer.alloc(48, 7);
const section = signPcr0(PCR0, await keyOf('es384'), await chainOf('es384'));
const { certificatePem, coseSign1 } = parseSignatureSection(section);
const cose = parseImageSignature(coseSign1);

t.test('accepts its own signature, tagged too', async (t) => {
  t.equal(verifySignatureSection(section, PCR0).algorithm.name, 'ES384');
  const tagged = encodeSignatureSection({ certificatePem, coseSign1: Buffer.concat([Buffer.from([0xd2]), coseSign1]) });
  t.equal(verifySignatureSection(tagged, PCR0).algorithm.name, 'ES384');
});

t.test('rejects a signature for another PCR0 (EIF_SIGNATURE_PCR0)', async (t) => {
  const other = Buffer.alloc(48, 8);
  const error = throwsCode(() => verifySignatureSection(section, other), EifError, 'EIF_SIGNATURE_PCR0');
  t.equal(error.found, PCR0.toString('hex'));
});

t.test('rejects a payload that was replaced (EIF_SIGNATURE_INVALID)', async () => {
  const other = Buffer.alloc(48, 8);
  const forged = encodeCoseSign1({ ...cose, payload: encodeSignedRegister(other) });
  const replaced = encodeSignatureSection({ certificatePem, coseSign1: forged });
  throwsCode(() => verifySignatureSection(replaced, other), EifError, 'EIF_SIGNATURE_INVALID');
});

t.test('rejects a certificate that was replaced (EIF_SIGNATURE_INVALID, EIF_SIGNATURE_ALGORITHM)', async () => {
  const withCertificate = (name: string) =>
    encodeSignatureSection({ certificatePem: readFileSync(vector(name)), coseSign1 });
  const sameCurve = readFileSync(vector('es384-chain.cert.pem'), 'latin1').split(
    /(?<=-----END CERTIFICATE-----\n)/,
  )[1]!;
  const replaced = encodeSignatureSection({ certificatePem: Buffer.from(sameCurve), coseSign1 });
  throwsCode(() => verifySignatureSection(replaced, PCR0), EifError, 'EIF_SIGNATURE_INVALID');
  throwsCode(
    () => verifySignatureSection(withCertificate('es256.cert.pem'), PCR0),
    EifError,
    'EIF_SIGNATURE_ALGORITHM',
  );
});

t.test('rejects a section whose certificate is none (EIF_CERTIFICATE_INVALID)', async () => {
  const broken = encodeSignatureSection({ certificatePem: Buffer.from('MIIB'), coseSign1 });
  throwsCode(() => verifySignatureSection(broken, PCR0), EifError, 'EIF_CERTIFICATE_INVALID');
});

t.test('rejects an algorithm that no image signature has (EIF_SIGNATURE_ALGORITHM)', async () => {
  for (const header of ['43a10105', '43a10127']) {
    const bytes = Buffer.from(`84${header}a041005840${'00'.repeat(64)}`, 'hex');
    throwsCode(() => parseImageSignature(bytes), EifError, 'EIF_SIGNATURE_ALGORITHM');
  }
});

t.test('rejects what is no COSE_Sign1 (EIF_SIGNATURE_SYNTAX)', async () => {
  for (const hex of ['', 'd2', '80', `8443a10126a0410058${'3f'.padEnd(128, '0')}`]) {
    throwsCode(() => parseImageSignature(Buffer.from(hex, 'hex')), EifError, 'EIF_SIGNATURE_SYNTAX');
  }
});
