/** Thousands of random edits: what was a document is refused with a code, and nothing else happens. */
import t from 'tap';
import { encodeAttestationPayload } from '../../../attestation/document/encode.ts';
import { ATTESTATION_ERRORS } from '../../../attestation/errors.ts';
import type { VerifyReport } from '../../../attestation/verify/report.ts';
import { verify } from '../../../attestation/verify/verify.ts';
import { seededRandom } from '../../support/seeded-random.ts';
import { NOW_MS } from '../support/chain.ts';
import { demands } from './support/evidence.ts';
import { documentOf, encodedStatement, payloadOf, rootPem, signBytes } from './vectors/vector.ts';

const EDITS = 3_000;
/** Each of them costs every signature of the chain. */
const COSTLY_EDITS = 300;
const random = seededRandom('random edits of attestation documents');
const below = (limit: number) => random.bytes(4).readUInt32BE() % limit;

const flipBit = (bytes: Buffer) => {
  const edited = Buffer.from(bytes);
  const at = below(edited.length);
  edited.writeUInt8(edited.readUInt8(at) ^ (1 << below(8)), at);
  return edited;
};
const cut = (bytes: Buffer) => {
  const from = below(bytes.length);
  return Buffer.concat([bytes.subarray(0, from), bytes.subarray(from + 1 + below(40))]);
};
const insert = (bytes: Buffer) => {
  const at = 1 + below(bytes.length);
  return Buffer.concat([bytes.subarray(0, at), random.bytes(1 + below(8)), bytes.subarray(at)]);
};
const overwrite = (bytes: Buffer) => {
  const edited = Buffer.from(bytes);
  const part = random.bytes(1 + below(48));
  part.copy(edited, below(edited.length));
  return edited;
};
const move = (bytes: Buffer) => {
  const edited = Buffer.from(bytes);
  edited.copyWithin(below(edited.length), below(edited.length), edited.length);
  return edited;
};
const KINDS = [flipBit, cut, insert, overwrite, move];

const edit = (bytes: Buffer): Buffer => {
  const kind = KINDS[below(KINDS.length)] ?? flipBit;
  const edited = kind(bytes);
  return below(4) === 0 ? edit(edited) : edited;
};

const document = documentOf();
const judging = { ...demands, time: { by: 'clock', nowMs: NOW_MS }, trustRootPem: rootPem } as const;

function isCoded({ claims }: VerifyReport): boolean {
  return claims.every(({ result, code }) => (result === 'fail') === (code !== undefined && code in ATTESTATION_ERRORS));
}

t.test('passes the document that is edited', async (t) => {
  t.equal(verify({ document, statement: encodedStatement }, judging).verdict, 'pass');
});

t.test('refuses every edit of a document with a code', async (t) => {
  const passed: string[] = [];
  for (let i = 0; i < EDITS; i++) {
    const edited = edit(document);
    if (edited.equals(document)) continue;
    const report = verify({ document: edited, statement: encodedStatement }, judging);
    if (report.verdict === 'pass' || !isCoded(report)) passed.push(edited.toString('base64'));
  }
  t.same(passed, []);
});

t.test('refuses every edit of a statement with a code', async (t) => {
  const passed: string[] = [];
  for (let i = 0; i < COSTLY_EDITS; i++) {
    const edited = edit(encodedStatement);
    if (edited.equals(encodedStatement)) continue;
    const report = verify({ document, statement: edited }, judging);
    if (report.verdict === 'pass' || !isCoded(report)) passed.push(edited.toString('base64'));
  }
  t.same(passed, []);
});

t.test('judges whatever is signed in the right way without an exception', async (t) => {
  const payload = encodeAttestationPayload(payloadOf());
  const found: string[] = [];
  for (let i = 0; i < COSTLY_EDITS; i++) {
    const report = verify({ document: signBytes(edit(payload)), statement: encodedStatement }, judging);
    if (!isCoded(report)) found.push(JSON.stringify(report));
  }
  t.same(found, []);
});
