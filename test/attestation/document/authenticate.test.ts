import t from 'tap';
import { authenticateAttestationDocument } from '../../../attestation/document/authenticate.ts';
import { encodeAttestationPayload } from '../../../attestation/document/encode.ts';
import { AttestationError } from '../../../attestation/errors.ts';
import { ES384, signCoseSign1 } from '../../../encoding/cose-sign1.ts';
import { throwsCode } from '../../support/coded-error.ts';
import { awsRootDer, DEBUG_TIME_MS, debugDocument, REAL_TIME_MS, realDocument } from '../support/aws-documents.ts';
import { cabundleOf, makeChain, NOW_MS } from '../support/chain.ts';
import { payload } from '../support/payload.ts';

const trust = { rootDer: awsRootDer, nowMs: REAL_TIME_MS };

/** Only our own refusal counts; anything else fails the test. */
function isRefused(bytes: Buffer): boolean {
  try {
    authenticateAttestationDocument(bytes, trust);
    return false;
  } catch (error) {
    if (error instanceof AttestationError) return true;
    throw error;
  }
}

t.test('accepts the documents of real enclaves at their own time', (t) => {
  const real = authenticateAttestationDocument(realDocument, trust);
  t.equal(real.moduleId, 'i-020b6af9246d90e92-enc0183d09086c24190');
  const debug = authenticateAttestationDocument(debugDocument, { rootDer: awsRootDer, nowMs: DEBUG_TIME_MS });
  t.equal(debug.moduleId, 'i-03ad7cdb817437eeb-enc0183cc7569b3f6e1');
  t.end();
});

t.test('rejects a real document once its leaf has expired (ATTESTATION_CERTIFICATE_EXPIRED)', (t) => {
  const leafEndMs = Date.UTC(2022, 9, 13, 11, 58, 2);
  t.ok(authenticateAttestationDocument(realDocument, { ...trust, nowMs: leafEndMs }));
  const late = { ...trust, nowMs: leafEndMs + 1 };
  throwsCode(
    () => authenticateAttestationDocument(realDocument, late),
    AttestationError,
    'ATTESTATION_CERTIFICATE_EXPIRED',
  );
  t.end();
});

t.test('rejects a real document before its leaf is valid (ATTESTATION_CERTIFICATE_NOT_YET_VALID)', (t) => {
  const leafStartMs = Date.UTC(2022, 9, 13, 8, 57, 59);
  t.ok(authenticateAttestationDocument(realDocument, { ...trust, nowMs: leafStartMs }));
  const early = { ...trust, nowMs: leafStartMs - 1 };
  const code = 'ATTESTATION_CERTIFICATE_NOT_YET_VALID';
  throwsCode(() => authenticateAttestationDocument(realDocument, early), AttestationError, code);
  t.end();
});

t.test('rejects a time that is no number (ATTESTATION_CERTIFICATE_NOT_YET_VALID)', (t) => {
  const never = { ...trust, nowMs: Number.NaN };
  const code = 'ATTESTATION_CERTIFICATE_NOT_YET_VALID';
  throwsCode(() => authenticateAttestationDocument(realDocument, never), AttestationError, code);
  t.end();
});

t.test('rejects a real document with any byte changed', (t) => {
  const bytes = Buffer.from(realDocument);
  const accepted: number[] = [];
  for (let i = 0; i < bytes.length; i++) {
    const flip = 1 << (i % 8);
    bytes.writeUInt8(bytes.readUInt8(i) ^ flip, i);
    if (!isRefused(bytes)) accepted.push(i);
    bytes.writeUInt8(bytes.readUInt8(i) ^ flip, i);
  }
  t.same(accepted, []);
  t.notOk(isRefused(bytes), 'the unchanged document is accepted');
  t.end();
});

t.test('rejects a real document cut off anywhere', (t) => {
  const accepted = [...realDocument.keys()].filter((length) => !isRefused(realDocument.subarray(0, length)));
  t.same(accepted, []);
  t.end();
});

t.test('rejects a real document under the root of an emulator (ATTESTATION_ROOT_MISMATCH)', (t) => {
  const { root } = makeChain();
  const foreign = { rootDer: root.der, nowMs: REAL_TIME_MS };
  throwsCode(
    () => authenticateAttestationDocument(realDocument, foreign),
    AttestationError,
    'ATTESTATION_ROOT_MISMATCH',
  );
  t.end();
});

t.test('accepts a document of another root under that root only', (t) => {
  const chain = makeChain();
  const body = encodeAttestationPayload(payload({ certificate: chain.leaf.der, cabundle: cabundleOf(chain) }));
  const document = signCoseSign1(ES384, body, chain.leaf.privateKey);
  t.ok(authenticateAttestationDocument(document, { rootDer: chain.root.der, nowMs: NOW_MS }));
  throwsCode(
    () => authenticateAttestationDocument(document, { rootDer: awsRootDer, nowMs: NOW_MS }),
    AttestationError,
    'ATTESTATION_ROOT_MISMATCH',
  );
  t.end();
});

t.test('rejects a document signed by another key than that of its leaf (ATTESTATION_SIGNATURE_INVALID)', (t) => {
  const chain = makeChain();
  const body = encodeAttestationPayload(payload({ certificate: chain.leaf.der, cabundle: cabundleOf(chain) }));
  const own = { rootDer: chain.root.der, nowMs: NOW_MS };
  for (const key of [makeChain().leaf.privateKey, chain.instance.privateKey]) {
    const document = signCoseSign1(ES384, body, key);
    throwsCode(() => authenticateAttestationDocument(document, own), AttestationError, 'ATTESTATION_SIGNATURE_INVALID');
  }
  t.end();
});
