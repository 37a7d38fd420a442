/** The checked-in vectors: what every verifier must say of them, and that they are complete. */
import { readdirSync, readFileSync } from 'node:fs';
import t from 'tap';
import { ATTESTATION_ERRORS } from '../../../attestation/errors.ts';
import { CLAIMS } from '../../../attestation/verify/claims.ts';
import { verify } from '../../../attestation/verify/verify.ts';
import { vectorFiles } from './vectors/all.ts';
import { type JsonVector, toDemands, toEvidence, toExpectation } from './vectors/json.ts';

const folder = new URL('../../vectors/verify/', import.meta.url);
const names = readdirSync(folder).filter((name) => name.endsWith('.json'));
const texts = new Map(names.map((name) => [name, readFileSync(new URL(name, folder), 'utf8')]));
const vectors = [...texts.values()].flatMap((text) => JSON.parse(text).vectors as JsonVector[]);

/** Of what is demanded, and of what the enclave itself does: no document has them. */
const NOT_OF_DOCUMENTS = [
  'ATTESTATION_POLICY_INVALID',
  'ATTESTATION_TRUST_ROOT_INVALID',
  'ATTESTATION_FOLDER_UNREADABLE',
  'ATTESTATION_STATEMENT_IMPOSSIBLE',
];

t.test('keeps the files equal to what the generator writes', async (t) => {
  const written = vectorFiles();
  t.same([...texts.keys()].sort(), [...written.keys()].sort());
  for (const [name, text] of written) t.equal(texts.get(name) === text, true, `${name}: write it again`);
});

for (const [name] of texts) {
  t.test(`says of each vector in ${name} what it expects`, async (t) => {
    const own: JsonVector[] = JSON.parse(texts.get(name) ?? '').vectors;
    for (const vector of own) {
      t.same(toExpectation(verify(toEvidence(vector), toDemands(vector))), vector.expect, vector.name);
    }
  });
}

t.test('has more than 150 vectors, each with a name of its own and a clause', async (t) => {
  t.ok(vectors.length > 150);
  t.equal(new Set(vectors.map(({ name }) => name)).size, vectors.length);
  t.ok(vectors.every(({ clause }) => clause.length > 10));
});

t.test('breaks exactly one rule in each vector, and none in those that are accepted', async (t) => {
  for (const { name, expect } of vectors) {
    const failed = Object.values(expect.claims).filter((result) => result !== 'pass' && result !== 'not-run');
    t.equal(failed.length, name.startsWith('accepted: ') ? 0 : 1, name);
    t.equal(expect.verdict, failed.length === 0 ? 'pass' : 'fail', name);
  }
});

t.test('has a vector for every code that a document can earn, and for every claim both ways', async (t) => {
  const results = vectors.flatMap(({ expect }) => Object.entries(expect.claims));
  const earned = new Set(results.map(([, result]) => result));
  const codes = Object.keys(ATTESTATION_ERRORS).filter((code) => !NOT_OF_DOCUMENTS.includes(code));
  t.same(
    codes.filter((code) => !earned.has(code)),
    [],
  );
  for (const claim of Object.keys(CLAIMS)) {
    const own = results.filter(([name]) => name === claim).map(([, result]) => result);
    t.ok(own.includes('pass'), `${claim} passes`);
    t.ok(
      own.some((result) => result !== 'pass' && result !== 'not-run'),
      `${claim} fails`,
    );
  }
});
