/** What is signed: one form, complete, and without a contradiction. */
import t from 'tap';
import { PAYLOAD_TYPE, parseEnvelope } from '../../../attestation/published/envelope.ts';
import { MeasurementsError, type MeasurementsErrorCode } from '../../../attestation/published/errors.ts';
import { toUnsignedEnvelope } from '../../../attestation/published/sign.ts';
import { decodeSigned, PREDICATE_TYPE } from '../../../attestation/published/statement.ts';
import { canonicalJson } from '../../../encoding/canonical-json.ts';
import { toPcrIndex } from '../../../wire/brands.ts';
import { throwsCode } from '../../support/coded-error.ts';
import { CONTENT, DAY_MS, makeSigner, NOW_MS, RUNTIME, signedBy } from './support/published.ts';

const { payload } = parseEnvelope(JSON.parse(signedBy(makeSigner('provider', 'ed25519')).toString()), PAYLOAD_TYPE);
const parse = () => JSON.parse(payload.toString());
type Statement = ReturnType<typeof parse>;
const inPredicate = (change: object) => (json: Statement) => ({ ...json, predicate: { ...json.predicate, ...change } });
const inPcrs = (change: object) => (json: Statement) =>
  inPredicate({ pcrs: { ...json.predicate.pcrs, ...change } })(json);

t.test('keeps the form that is documented: an in-toto Statement with our predicate, in canonical JSON', async (t) => {
  const statement = parse();
  t.equal(canonicalJson(statement), payload.toString());
  t.match(statement, { _type: 'https://in-toto.io/Statement/v1', predicateType: PREDICATE_TYPE });
  t.same(statement.subject, [{ name: 'acra-enclave.eif', digest: { sha256: '4'.repeat(64) } }]);
  t.match(statement.predicate, {
    issuedAt: '2026-11-29T12:00:00Z',
    expiresAt: '2027-02-27T12:00:00Z',
    runtime: RUNTIME,
    source: { uri: 'git+https://example.org/acra-enclave', digest: { gitCommit: '6'.repeat(40) } },
    billOfMaterials: { name: 'bom.json', digest: { sha256: '5'.repeat(64) } },
  });
  t.same(Object.keys(statement.predicate.pcrs), ['PCR0', 'PCR1', 'PCR16', 'PCR2', 'PCR8']);
});

t.test('reads what it wrote', async (t) => {
  const read = decodeSigned(payload);
  t.same(read.pcrs, CONTENT.pcrs);
  t.same(read.statement, RUNTIME);
  t.equal(read.expiresAtMs - read.issuedAtMs, 90 * DAY_MS);
});

t.test('keeps registers of the parent instance, and drops what is less than a second', async (t) => {
  const parentPcrs = new Map([[toPcrIndex(4), Buffer.alloc(48, 4)]]);
  const times = { issuedAtMs: NOW_MS + 999, expiresAtMs: NOW_MS + DAY_MS + 1 };
  const read = decodeSigned(toUnsignedEnvelope(CONTENT, { ...times, parentPcrs }).payload);
  t.same(read.pcrs.get(toPcrIndex(4)), Buffer.alloc(48, 4));
  t.equal(read.issuedAtMs, NOW_MS);
  t.same([...read.pcrs.keys()], [0, 1, 2, 4, 8, 16]);
});

t.test('ignores a member of the statement that in-toto may add', async (t) => {
  t.same(decodeSigned(Buffer.from(canonicalJson({ ...parse(), future: 1 }))), decodeSigned(payload));
});

type Change = (json: Statement) => unknown;
const INVALID: MeasurementsErrorCode = 'MEASUREMENTS_STATEMENT_INVALID';
const OTHERS: Readonly<Record<string, readonly [MeasurementsErrorCode, Change]>> = {
  'another version of the statement': [INVALID, (json) => ({ ...json, _type: 'https://in-toto.io/Statement/v0.1' })],
  'another predicate': [INVALID, (json) => ({ ...json, predicateType: 'https://slsa.dev/provenance/v1' })],
  'no subject': [INVALID, (json) => ({ ...json, subject: [] })],
  'two subjects': [INVALID, (json) => ({ ...json, subject: [...json.subject, ...json.subject] })],
  'an unknown member of the predicate': [INVALID, inPredicate({ comment: '' })],
  'an unknown register': [INVALID, inPcrs({ PCR5: 'a'.repeat(96) })],
  'a register of the wrong size': [INVALID, inPcrs({ PCR0: 'a'.repeat(64) })],
  'a register in capitals': [INVALID, inPcrs({ PCR0: 'A'.repeat(96) })],
  'no PCR8': [INVALID, inPcrs({ PCR8: null })],
  'a time that does not exist': [INVALID, inPredicate({ expiresAt: '2027-02-30T00:00:00Z' })],
  'a time in another zone': [INVALID, inPredicate({ expiresAt: '2027-03-01T00:00:00+01:00' })],
  'an expiry before the issue': [INVALID, inPredicate({ expiresAt: '2026-11-29T12:00:00Z' })],
  'a source by the name of a tag': [INVALID, inPredicate({ source: { uri: 'git:x', digest: { gitCommit: 'v1.0' } } })],
  'a runtime statement with an unknown member': [INVALID, inPredicate({ runtime: { ...RUNTIME, other: 1 } })],
  'a PCR16 that the runtime statement does not have': ['MEASUREMENTS_CONTRADICTORY', inPcrs({ PCR16: 'a'.repeat(96) })],
  'another runtime statement than PCR16 has': [
    'MEASUREMENTS_CONTRADICTORY',
    inPredicate({ runtime: { ...RUNTIME, tlsKey: 'sealed' } }),
  ],
  'the registers of debug mode': ['MEASUREMENTS_INCOMPLETE', inPcrs({ PCR0: '0'.repeat(96) })],
};

for (const [what, [code, change]] of Object.entries(OTHERS)) {
  t.test(`rejects ${what} (${code})`, async () => {
    const bytes = Buffer.from(canonicalJson(change(parse()) as Parameters<typeof canonicalJson>[0]));
    throwsCode(() => decodeSigned(bytes), MeasurementsError, code);
  });
}

t.test('rejects to sign what does not name the whole image (MEASUREMENTS_INCOMPLETE)', async () => {
  const times = { issuedAtMs: NOW_MS, expiresAtMs: NOW_MS + DAY_MS, parentPcrs: new Map() };
  const { image: _, ...withoutImage } = CONTENT;
  const withoutPcr8 = { ...CONTENT, pcrs: new Map([...CONTENT.pcrs].filter(([index]) => index !== 8)) };
  for (const content of [withoutImage, withoutPcr8]) {
    throwsCode(() => toUnsignedEnvelope(content, times), MeasurementsError, 'MEASUREMENTS_INCOMPLETE');
  }
});

t.test('rejects PCR16 without a statement, and a statement without PCR16 (MEASUREMENTS_CONTRADICTORY)', async () => {
  const { runtime: _, ...without } = parse().predicate;
  const { PCR16: __, ...pcrs } = parse().predicate.pcrs;
  for (const predicate of [without, { ...parse().predicate, pcrs }]) {
    const bytes = Buffer.from(canonicalJson({ ...parse(), predicate }));
    throwsCode(() => decodeSigned(bytes), MeasurementsError, 'MEASUREMENTS_CONTRADICTORY');
  }
});

const TEXTS: Readonly<Record<string, string>> = {
  'no JSON': 'statement',
  'white space': ` ${payload.toString()}`,
  'members in another order': JSON.stringify({ subject: parse().subject, ...parse() }),
  'a member twice': payload.toString().replace('{', `{"_type":"https://in-toto.io/Statement/v0",`),
  'a number with a fraction': canonicalJson({ ...parse(), future: 1 }).replace('"future":1', '"future":1.5'),
};

for (const [what, text] of Object.entries(TEXTS)) {
  t.test(`rejects a statement with ${what} (${INVALID})`, async () => {
    throwsCode(() => decodeSigned(Buffer.from(text)), MeasurementsError, INVALID);
  });
}
