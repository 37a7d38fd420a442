/** The COSE_Sign1 structure of image signatures. */
import t from 'tap';
import { EifError } from '../../../eif/errors.ts';
import { SIGNING_ALGORITHMS } from '../../../eif/sign/algorithm.ts';
import { encodeCoseSign1, parseCoseSign1, toBeSigned } from '../../../eif/sign/cose-sign1.ts';
import { throwsCode } from '../../support/coded-error.ts';

const PAYLOAD = Buffer.from('payload');
const PROTECTED = { ES256: '43a10126', ES384: '44a1013822', ES512: '44a1013823' };
const SIGNATURE_HEAD = { ES256: '5840', ES384: '5860', ES512: '5884' };

const parse = (hex: string) => parseCoseSign1(Buffer.from(hex, 'hex'));

for (const algorithm of SIGNING_ALGORITHMS) {
  const { name, signatureBytes } = algorithm;
  const signature = Buffer.alloc(signatureBytes, 0xab);
  const encoded = `84${PROTECTED[name]}a0477061796c6f6164${SIGNATURE_HEAD[name]}${'ab'.repeat(signatureBytes)}`;

  t.test(`keeps the bytes of ${name}, and reads them with tag 18 too`, async (t) => {
    t.equal(encodeCoseSign1({ algorithm, payload: PAYLOAD, signature }).toString('hex'), encoded);
    t.same(parse(encoded), { algorithm, payload: PAYLOAD, signature });
    t.same(parse(`d2${encoded}`), { algorithm, payload: PAYLOAD, signature });
    t.equal(
      toBeSigned(algorithm, PAYLOAD).toString('hex'),
      `846a5369676e617475726531${PROTECTED[name]}40477061796c6f6164`,
    );
  });

  t.test(`rejects ${name} with a signature of another length (EIF_SIGNATURE_SYNTAX)`, async () => {
    for (const length of [0, signatureBytes - 1, signatureBytes + 1]) {
      const wrong = encodeCoseSign1({ algorithm, payload: PAYLOAD, signature: Buffer.alloc(length) });
      throwsCode(() => parseCoseSign1(wrong), EifError, 'EIF_SIGNATURE_SYNTAX');
    }
  });
}

t.test('rejects unknown algorithms (EIF_SIGNATURE_ALGORITHM)', async () => {
  for (const header of ['43a10105', '43a10127']) {
    throwsCode(() => parse(`84${header}a041005840${'00'.repeat(64)}`), EifError, 'EIF_SIGNATURE_ALGORITHM');
  }
});

t.test('rejects other shapes (EIF_SIGNATURE_SYNTAX)', async () => {
  const good = `a041005840${'00'.repeat(64)}`;
  for (const hex of [
    '',
    'd2',
    'd1',
    'f6',
    '80',
    `8343a10126${good}`,
    `8443a10126${good}00`,
    `8543a10126${good}00`,
    `8440${good}`,
    `8441a0${good}`,
    `8446a20126040100${good}`,
    `8443a10126a10100${good.slice(2)}`,
    `8443a10126a040${good.slice(6)}`,
    `d2d28443a10126${good}`,
  ]) {
    throwsCode(() => parse(hex), EifError, 'EIF_SIGNATURE_SYNTAX');
  }
});
