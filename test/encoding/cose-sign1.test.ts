/** COSE_Sign1 for all that is signed here: attestation documents (ES384) and image signatures (one algorithm a curve). */
import { generateKeyPairSync } from 'node:crypto';
import fc from 'fast-check';
import t from 'tap';
import {
  COSE_ALGORITHMS,
  type CoseAlgorithm,
  CoseAlgorithmError,
  coseToBeSigned,
  ES384,
  encodeCoseSign1,
  isCoseSignedBy,
  parseCoseSign1,
  signCoseSign1,
  splitCoseSign1,
} from '../../encoding/cose-sign1.ts';
import { FormatError } from '../../encoding/format-error.ts';

const PAYLOAD = Buffer.from('payload');
const PROTECTED = { ES256: '43a10126', ES384: '44a1013822', ES512: '44a1013823' };
const SIGNATURE_HEAD = { ES256: '5840', ES384: '5860', ES512: '5884' };
const LIMITS = { algorithms: COSE_ALGORITHMS, maxPayloadBytes: 64 };

const parse = (hex: string) => parseCoseSign1(Buffer.from(hex, 'hex'), LIMITS);
const newKey = ({ curve }: CoseAlgorithm) => generateKeyPairSync('ec', { namedCurve: curve });

for (const algorithm of COSE_ALGORITHMS) {
  const { name, signatureBytes } = algorithm;
  const signature = Buffer.alloc(signatureBytes, 0xab);
  const encoded = `84${PROTECTED[name]}a0477061796c6f6164${SIGNATURE_HEAD[name]}${'ab'.repeat(signatureBytes)}`;

  t.test(`keeps the bytes of ${name}, and reads them with tag 18 too`, async (t) => {
    t.equal(encodeCoseSign1({ algorithm, payload: PAYLOAD, signature }).toString('hex'), encoded);
    t.same(parse(encoded), { algorithm, payload: PAYLOAD, signature });
    t.same(parse(`d2${encoded}`), { algorithm, payload: PAYLOAD, signature });
    t.equal(
      coseToBeSigned(algorithm, PAYLOAD).toString('hex'),
      `846a5369676e617475726531${PROTECTED[name]}40477061796c6f6164`,
    );
  });

  t.test(`rejects ${name} with a signature of another length`, async (t) => {
    for (const length of [0, signatureBytes - 1, signatureBytes + 1]) {
      const wrong = encodeCoseSign1({ algorithm, payload: PAYLOAD, signature: Buffer.alloc(length) });
      t.throws(() => parseCoseSign1(wrong, LIMITS), FormatError);
    }
  });

  t.test(`verifies its own signature with ${name}, under its own key and external data only`, async (t) => {
    const { privateKey, publicKey } = newKey(algorithm);
    const external = Buffer.from('nonce');
    const envelope = parseCoseSign1(signCoseSign1(algorithm, PAYLOAD, privateKey, external), LIMITS);
    t.equal(isCoseSignedBy(envelope, publicKey, external), true);
    t.equal(isCoseSignedBy(envelope, publicKey), false, 'external data left out');
    t.equal(isCoseSignedBy(envelope, newKey(algorithm).publicKey, external), false, 'another key');
    t.equal(isCoseSignedBy({ ...envelope, payload: Buffer.from('Payload') }, publicKey, external), false);
    for (const other of COSE_ALGORITHMS.filter((each) => each !== algorithm)) {
      t.equal(isCoseSignedBy(envelope, newKey(other).publicKey, external), false, `a key on ${other.curve}`);
      t.equal(isCoseSignedBy({ ...envelope, algorithm: other }, publicKey, external), false, other.name);
    }
  });
}

t.test('binds external data as RFC 9052 section 4.4 has it', async (t) => {
  const expected = '846a5369676e617475726531 44a1013822 42cafe 42aabb'.replaceAll(' ', '');
  t.equal(coseToBeSigned(ES384, Buffer.from('aabb', 'hex'), Buffer.from('cafe', 'hex')).toString('hex'), expected);
});

t.test('rejects algorithms that the caller does not allow, by their number', async (t) => {
  const es256 = `8443a10126a041005840${'00'.repeat(64)}`;
  t.ok(parse(es256));
  const onlyEs384 = { algorithms: [ES384], maxPayloadBytes: 64 };
  t.equal(
    refusedAlgorithm(() => parseCoseSign1(Buffer.from(es256, 'hex'), onlyEs384)),
    -7,
  );
  for (const [header, coseId] of [
    ['43a10105', 5],
    ['43a10127', -8],
  ] as const) {
    const bytes = `84${header}a041005840${'00'.repeat(64)}`;
    t.equal(
      refusedAlgorithm(() => parse(bytes)),
      coseId,
    );
  }
});

t.test('rejects other shapes', async (t) => {
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
    `8443a10126a0f6${good.slice(6)}`,
    `8443a10126a05841${'00'.repeat(65)}${good.slice(6)}`,
    `d2d28443a10126${good}`,
  ]) {
    t.throws(() => parse(hex), FormatError, hex);
  }
});

t.test('splits an envelope whose headers it does not judge', async (t) => {
  const bytes = Buffer.from(`8443a10120a1044161420102${'5840'}${'00'.repeat(64)}`, 'hex');
  const { protectedHeader, unprotectedHeader, payload, signature } = splitCoseSign1(bytes, 64);
  t.equal(protectedHeader.toString('hex'), 'a10120');
  t.same([...unprotectedHeader], [[4, Buffer.from('a')]]);
  t.same(payload, Buffer.from([1, 2]));
  t.equal(signature.length, 64);
});

t.test('reads back whatever it writes, and refuses or tells apart every bit that is changed', async (t) => {
  const algorithm = fc.constantFrom(...COSE_ALGORITHMS);
  const bytes = (length: number) =>
    fc.uint8Array({ minLength: length, maxLength: length }).map((all) => Buffer.from(all));
  const envelope = algorithm.chain((each) =>
    fc.record({
      algorithm: fc.constant(each),
      payload: fc.uint8Array({ minLength: 1, maxLength: 40 }).map((all) => Buffer.from(all)),
      signature: bytes(each.signatureBytes),
    }),
  );
  fc.assert(
    fc.property(envelope, fc.nat(), fc.nat(7), (written, at, bit) => {
      const encoded = encodeCoseSign1(written);
      t.same(parseCoseSign1(encoded, LIMITS), written);
      const changed = Buffer.from(encoded);
      const index = at % encoded.length;
      changed[index] = (changed[index] ?? 0) ^ (1 << bit);
      const read = attempt(() => parseCoseSign1(changed, LIMITS));
      if (read !== undefined) t.same(encodeCoseSign1(read), changed, 'one encoding only');
      t.equal(
        attempt(() => parseCoseSign1(encoded.subarray(0, index), LIMITS)),
        undefined,
        'cut short',
      );
    }),
    { seed: 7, numRuns: 300 },
  );
});

function attempt<Result>(read: () => Result): Result | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof FormatError) return undefined;
    throw error;
  }
}

function refusedAlgorithm(read: () => unknown): number | undefined {
  try {
    read();
  } catch (error) {
    return error instanceof CoseAlgorithmError ? error.coseId : undefined;
  }
  return undefined;
}
