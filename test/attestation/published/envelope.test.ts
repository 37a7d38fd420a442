/** The envelope: what is signed is what stands in DSSE's specification, and nothing else makes a difference. */
import { createPublicKey, verify } from 'node:crypto';
import t from 'tap';
import {
  encodeEnvelope,
  PAYLOAD_TYPE,
  parseEnvelope,
  preAuthEncoding,
  signatureState,
  withSignatureOf,
} from '../../../attestation/published/envelope.ts';
import { MeasurementsError } from '../../../attestation/published/errors.ts';
import { throwsCode } from '../../support/coded-error.ts';
import { makeSigner } from './support/published.ts';

const provider = makeSigner('provider', 'ed25519');
const auditor = makeSigner('auditor', 'secp384r1');
const PAYLOAD = Buffer.from('{"a":"ü"}');
const signed = withSignatureOf({ payloadType: PAYLOAD_TYPE, payload: PAYLOAD, signatures: [] }, provider.key);
const asJson = () => JSON.parse(encodeEnvelope(signed));

t.test('signs what the specification says: its example, to the byte', async (t) => {
  // DSSE, protocol.md, "Test Vectors"; there the signature is r and s, one after the other.
  const encoding = preAuthEncoding('http://example.com/HelloWorld', Buffer.from('hello world'));
  t.equal(encoding.toString(), 'DSSEv1 29 http://example.com/HelloWorld 11 hello world');
  const coordinate = (decimal: string) =>
    Buffer.from(BigInt(decimal).toString(16).padStart(64, '0'), 'hex').toString('base64url');
  const x = coordinate('46950820868899156662930047687818585632848591499744589407958293238635476079160');
  const y = coordinate('5640078356564379163099075877009565129882514886557779369047442380624545832820');
  const key = createPublicKey({ key: { kty: 'EC', crv: 'P-256', x, y }, format: 'jwk' });
  const signature = 'A3JqsQGtVsJ2O2xqrI5IcnXip5GToJ3F+FnZ+O88SjtR6rDAajabZKciJTfUiHqJPcIAriEGAHTVeCUjW2JIZA==';
  t.ok(verify('sha256', encoding, { key, dsaEncoding: 'ieee-p1363' }, Buffer.from(signature, 'base64')));
});

t.test('counts bytes, not characters', async (t) => {
  t.equal(preAuthEncoding('ü', PAYLOAD).toString(), 'DSSEv1 2 ü 10 {"a":"ü"}');
});

t.test('keeps signatures of all algorithms over one payload, and each key once', async (t) => {
  const p256 = makeSigner('p256', 'prime256v1');
  const all = [provider, auditor, p256];
  const envelope = all.reduce((before, { key }) => withSignatureOf(before, key), {
    payloadType: PAYLOAD_TYPE,
    payload: PAYLOAD,
    signatures: [],
  } as typeof signed);
  const again = all.reduce((before, { key }) => withSignatureOf(before, key), envelope);
  t.equal(again.signatures.length, all.length);
  const read = parseEnvelope(JSON.parse(encodeEnvelope(again)), PAYLOAD_TYPE);
  t.same(read, again);
  for (const { key } of all) t.equal(signatureState(read, key), 'signed');
});

t.test('counts a copy of a signature under the name of another key as no signature of that key', async (t) => {
  const [signature] = signed.signatures;
  const copied = {
    ...signed,
    signatures: [...signed.signatures, { keyId: auditor.key.keyId, bytes: signature?.bytes ?? PAYLOAD }],
  };
  t.equal(signatureState(copied, auditor.key), 'invalid');
  t.equal(signatureState(copied, provider.key), 'signed');
});

t.test('keeps a signature valid whatever key id the file gives it', async (t) => {
  for (const keyid of ['', auditor.key.keyId, 'another']) {
    const { signatures, ...rest } = asJson();
    const envelope = parseEnvelope({ ...rest, signatures: [{ ...signatures[0], keyid }] }, PAYLOAD_TYPE);
    t.equal(signatureState(envelope, provider.key), 'signed');
  }
  const { signatures, ...rest } = asJson();
  t.equal(
    signatureState(parseEnvelope({ ...rest, signatures: [{ sig: signatures[0].sig }] }, PAYLOAD_TYPE), provider.key),
    'signed',
  );
});

t.test('ignores members that it does not know, as envelope.md demands, and reads base64 for URLs', async (t) => {
  const { signatures, payload, ...rest } = asJson();
  const urlSafe = payload.replaceAll('+', '-').replaceAll('/', '_');
  const parts = { ...rest, payload: urlSafe, future: 1, signatures: [{ ...signatures[0], cert: 'x' }] };
  const envelope = parseEnvelope(parts, PAYLOAD_TYPE);
  t.equal(signatureState(envelope, provider.key), 'signed');
});

t.test('finds no signature when one bit of the payload or of the signature is another', async (t) => {
  const [signature] = signed.signatures;
  const bytes = signature?.bytes ?? PAYLOAD;
  for (let at = 0; at < PAYLOAD.length * 8; at += 1) {
    const payload = Buffer.from(PAYLOAD);
    payload.writeUInt8((payload[at >> 3] ?? 0) ^ (1 << (at & 7)), at >> 3);
    t.equal(signatureState({ ...signed, payload }, provider.key), 'invalid');
  }
  for (let at = 0; at < bytes.length * 8; at += 1) {
    const changed = Buffer.from(bytes);
    changed.writeUInt8((changed[at >> 3] ?? 0) ^ (1 << (at & 7)), at >> 3);
    t.equal(signatureState({ ...signed, signatures: [{ keyId: '', bytes: changed }] }, provider.key), 'not signed');
  }
});

t.test('finds no signature over the same bytes as another type', async (t) => {
  const { sign } = await import('node:crypto');
  const bytes = sign(null, preAuthEncoding(`${PAYLOAD_TYPE}x`, PAYLOAD), provider.key.privateKey);
  t.equal(
    signatureState({ payloadType: PAYLOAD_TYPE, payload: PAYLOAD, signatures: [{ keyId: '', bytes }] }, provider.key),
    'not signed',
  );
});

const OTHERS: Readonly<Record<string, (json: ReturnType<typeof asJson>) => unknown>> = {
  'another type of payload': (json) => ({ ...json, payloadType: 'application/json' }),
  'no payload': ({ payload: _, ...json }) => json,
  'a payload that is not strict base64': (json) => ({ ...json, payload: `${json.payload}\n` }),
  'no signatures': (json) => ({ ...json, signatures: [] }),
  'a signature that is not strict base64': (json) => ({ ...json, signatures: [{ sig: 'AA' }] }),
  'a signature that is too long': (json) => ({ ...json, signatures: [{ sig: 'A'.repeat(1_024) }] }),
  'a payload that is too long': (json) => ({ ...json, payload: 'A'.repeat(1_100_000) }),
  'too many signatures': (json) => ({ ...json, signatures: Array(33).fill(json.signatures[0]) }),
  'a list': (json) => [json],
};

for (const [what, change] of Object.entries(OTHERS)) {
  t.test(`rejects ${what} (MEASUREMENTS_ENVELOPE_INVALID)`, async () => {
    throwsCode(() => parseEnvelope(change(asJson()), PAYLOAD_TYPE), MeasurementsError, 'MEASUREMENTS_ENVELOPE_INVALID');
  });
}

t.test('rejects one signature more than an envelope may have', async () => {
  const [signature] = signed.signatures;
  const full = { payloadType: PAYLOAD_TYPE, payload: PAYLOAD, signatures: Array(32).fill(signature) };
  throwsCode(() => withSignatureOf(full, auditor.key), MeasurementsError, 'MEASUREMENTS_ENVELOPE_INVALID');
});
