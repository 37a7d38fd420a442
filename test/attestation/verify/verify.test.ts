/** The checklist as a whole: what is told, in which order, and what stands on what. Each rule alone: vectors.test.ts. */
import t from 'tap';
import { AttestationError } from '../../../attestation/errors.ts';
import { CLAIMS } from '../../../attestation/verify/claims.ts';
import type { Demands } from '../../../attestation/verify/demands.ts';
import { verify } from '../../../attestation/verify/verify.ts';
import { throwsCode } from '../../support/coded-error.ts';
import { DEBUG_TIME_MS, debugDocument, REAL_TIME_MS, realDocument } from '../support/aws-documents.ts';
import { pemOf } from '../support/certificate.ts';
import { makeChain, NOW_MS } from '../support/chain.ts';
import { pcr } from '../support/payload.ts';
import {
  chain,
  demands,
  evidenceOf,
  failuresOf,
  NONCE,
  pcrsWith,
  resultOf,
  statement,
  TLS_KEY_SHA256,
} from './support/evidence.ts';

const { trustRootPem: _none, ...ofAws } = demands;
const NOT_JUDGED: Demands = { measurements: 'not-judged', runtime: 'not-judged' };

t.test('passes an enclave that is as it should be, every claim', (t) => {
  const report = verify(evidenceOf(), demands);
  t.same(failuresOf(report), []);
  t.equal(report.verdict, 'pass');
  t.same(
    report.claims.filter(({ result }) => result !== 'pass'),
    [],
  );
  t.end();
});

t.test('tells every claim once, in one order, whatever the document is', (t) => {
  const names = Object.keys(CLAIMS);
  for (const document of [evidenceOf().document, Buffer.alloc(0), realDocument, Buffer.from('84', 'hex')]) {
    for (const demanded of [demands, ofAws, NOT_JUDGED])
      t.same(
        verify({ document }, demanded).claims.map(({ claim }) => claim),
        names,
      );
  }
  t.end();
});

t.test('says of every claim what it proves and what it does not', (t) => {
  for (const { proves, doesNotProve } of verify({ document: Buffer.alloc(0) }, demands).claims) {
    t.match(proves, /\.$/);
    t.match(doesNotProve, /\.$/);
  }
  t.end();
});

t.test('gives a code and a reason to what failed, and a reason to what was not run', (t) => {
  const { claims } = verify(evidenceOf({ nonce: undefined }, { ...statement, name: 'other' }), demands);
  for (const { claim, result, code, reason } of claims) {
    t.equal(code !== undefined, result === 'fail', claim);
    t.equal(reason !== undefined, result !== 'pass', claim);
  }
  t.end();
});

t.test('trusts no root but that of AWS unless told to, and says which', (t) => {
  const report = verify(evidenceOf(), ofAws);
  t.same(failuresOf(report), ['root ATTESTATION_ROOT_MISMATCH']);
  t.same(report.trust, {
    root: 'aws-nitro-enclaves-g1',
    sha256: '641a0321a3e244efe456463195d606317ed7cdcc3c1756e09893f3c68f79bb5b',
  });
  t.equal(verify(evidenceOf(), demands).trust.root, 'other');
  t.end();
});

t.test('judges nothing that a document says before it is authentic', (t) => {
  const { claims, document, statement } = verify(evidenceOf(), ofAws);
  const after = claims.slice(claims.findIndex(({ claim }) => claim === 'signature'));
  t.same(
    after.filter(({ result }) => result === 'pass').map(({ claim }) => claim),
    ['statement'],
    'the statement alone is read for itself',
  );
  t.equal(document, null);
  t.equal(statement, null);
  t.end();
});

t.test('tells what an authentic document says', (t) => {
  const { document, statement: told } = verify(evidenceOf(), demands);
  t.match(document, { moduleId: 'i-0123456789abcdef0-enc0123456789abcde', nonce: NONCE.toString('hex') });
  t.equal(document?.timestamp, new Date(NOW_MS - 1_000).toISOString());
  t.equal(document?.pcrs['PCR0'], '01'.repeat(48));
  t.equal(document?.tlsKeySha256, '71'.repeat(32));
  t.equal(document?.hpkePublicKey?.length, 64);
  t.same(told, statement);
  t.end();
});

t.test('keeps its report the same through JSON', (t) => {
  const report = verify(evidenceOf(), demands);
  t.same(JSON.parse(JSON.stringify(report)), report);
  t.end();
});

t.test('judges a saved document at its own time, and says so', (t) => {
  const saved: Demands = { ...demands, time: { by: 'document' } };
  const report = verify(evidenceOf(), saved);
  t.equal(report.verdict, 'pass');
  t.same(report.judgedAt, { time: new Date(NOW_MS - 1_000).toISOString(), by: 'document' });
  t.equal(resultOf(report, 'age'), 'not-run');
  const late = evidenceOf({ timestampMs: NOW_MS + 86_400_000 });
  t.same(failuresOf(verify(late, saved)), ['certificate-validity ATTESTATION_CERTIFICATE_EXPIRED']);
  t.equal(verify({ document: Buffer.alloc(0) }, saved).judgedAt.time, null);
  t.end();
});

t.test('passes the document of a real enclave at its own time', (t) => {
  const report = verify({ document: realDocument }, { ...NOT_JUDGED, time: { by: 'clock', nowMs: REAL_TIME_MS } });
  t.same(failuresOf(report), []);
  t.equal(report.verdict, 'pass');
  t.equal(report.document?.moduleId, 'i-020b6af9246d90e92-enc0183d09086c24190');
  t.end();
});

t.test('rejects a real enclave in debug mode (ATTESTATION_DEBUG_MODE)', (t) => {
  const report = verify({ document: debugDocument }, { ...NOT_JUDGED, time: { by: 'clock', nowMs: DEBUG_TIME_MS } });
  t.same(failuresOf(report), ['not-debug ATTESTATION_DEBUG_MODE']);
  t.equal(resultOf(report, 'other-registers'), 'not-run');
  t.end();
});

t.test('takes the expected statement where none came with the document', (t) => {
  const { document } = evidenceOf();
  t.equal(verify({ document }, demands).verdict, 'pass');
  const pcrs = new Map([pcr(0)]);
  t.same(failuresOf(verify({ document }, { ...demands, measurements: { pcrs } })), [
    'statement ATTESTATION_STATEMENT_MISSING',
  ]);
  t.end();
});

t.test('gives registers that are demanded beyond the known ones a claim of their own', (t) => {
  const evidence = evidenceOf({ pcrs: pcrsWith(pcr(17)) });
  t.same(failuresOf(verify(evidence, demands)), ['other-registers ATTESTATION_PCR_UNKNOWN']);
  const demanding = (value: number) => ({ pcrs: new Map([pcr(0), pcr(17, value)]), statement });
  const report = verify(evidence, { ...demands, measurements: demanding(18) });
  t.equal(report.verdict, 'pass');
  t.equal(resultOf(report, 'pcr17'), 'pass');
  t.same(failuresOf(verify(evidence, { ...demands, measurements: demanding(9) })), ['pcr17 ATTESTATION_PCR_MISMATCH']);
  t.end();
});

t.test('holds PCR16 to a demanded value too', (t) => {
  const pcrs = new Map([pcr(0), pcr(16)]);
  const report = verify(evidenceOf(), { ...demands, measurements: { pcrs, statement } });
  t.same(failuresOf(report), ['pcr16 ATTESTATION_PCR_MISMATCH']);
  t.end();
});

t.test('judges PCR16 as any register where the document is no answer to a stranger', (t) => {
  const pcrs = (value: Buffer | undefined) => new Map([pcr(0), pcr(16, value)]);
  const { tlsKeySha256: _none, ...rest } = demands;
  const judged = (value?: Buffer) =>
    verify(evidenceOf(), {
      ...rest,
      runtime: 'not-judged',
      attestedTlsKey: false,
      pinnedKeys: false,
      measurements: { pcrs: pcrs(value) },
    });
  t.same(failuresOf(judged()), ['pcr16 ATTESTATION_PCR_MISMATCH']);
  const report = judged(pcrsWith().get(pcr(16)[0]));
  t.equal(report.verdict, 'pass');
  t.same(
    report.claims.map(({ claim }) => claim),
    Object.keys(CLAIMS),
  );
  t.end();
});

t.test('tells that an operator made the TLS key, and refuses it when one born inside is demanded', (t) => {
  const sealed = { ...statement, tlsKey: 'sealed' } as const;
  const expected = { ...demands, measurements: { pcrs: new Map([pcr(0)]), statement: sealed } };
  const told = verify(evidenceOf({}, sealed), { ...expected, attestedTlsKey: false });
  t.equal(told.verdict, 'pass');
  t.equal(resultOf(told, 'tls-key-origin'), 'not-run');
  t.same(failuresOf(verify(evidenceOf({}, sealed), expected)), ['tls-key-origin ATTESTATION_TLS_KEY_SEALED']);
  t.end();
});

for (const [why, guard, allow, failures] of [
  ['a reporting guard', { mode: 'report' }, { reportGuard: true }, ['guard ATTESTATION_GUARD_NOT_ENFORCING']],
  ['no guard', { mode: 'none', relations: 'none' }, { noGuard: true }, ['guard ATTESTATION_GUARD_NOT_ENFORCING']],
  ['values for any relation', { relations: 'any' }, { anyRelation: true }, ['relations ATTESTATION_ANY_RELATION']],
  [
    'an open migration',
    { migrations: ['patients.name'] },
    { openMigrations: true },
    ['migrations ATTESTATION_MIGRATION_OPEN'],
  ],
] as const) {
  t.test(`rejects ${why} unless it is allowed by name, even where it is expected`, (t) => {
    const stated = { ...statement, guard: { ...statement.guard, ...guard } } as typeof statement;
    const expected: Demands = { ...demands, measurements: { pcrs: new Map([pcr(0)]), statement: stated } };
    t.same(failuresOf(verify(evidenceOf({}, stated), expected)), failures);
    t.equal(verify(evidenceOf({}, stated), { ...expected, allow }).verdict, 'pass');
    const other = Object.fromEntries(
      ['reportGuard', 'noGuard', 'anyRelation', 'openMigrations']
        .filter((name) => !(name in allow))
        .map((name) => [name, true]),
    );
    t.same(failuresOf(verify(evidenceOf({}, stated), { ...expected, allow: other })), failures, 'by that name only');
    t.end();
  });
}

/** A document that is no answer to a stranger. */
const ofKms: Demands = { measurements: { pcrs: new Map([pcr(0)]) }, runtime: 'not-judged' };
const INVALID: readonly [why: string, demands: Demands][] = [
  ['no register', { ...demands, measurements: { pcrs: new Map() } }],
  ['registers that name no image', { ...demands, measurements: { pcrs: new Map([pcr(1), pcr(3), pcr(8)]) } }],
  ['PCR32', { ...demands, measurements: { pcrs: new Map([pcr(0), [32, Buffer.alloc(48)]]) } }],
  ['a register of 32 bytes', { ...demands, measurements: { pcrs: new Map([pcr(0, Buffer.alloc(32, 1))]) } }],
  [
    'a statement that is none',
    { ...demands, measurements: { pcrs: new Map([pcr(0)]), statement: { ...statement, name: '\ud800' } } },
  ],
  ['a nonce of 15 bytes', { ...demands, nonce: Buffer.alloc(15) }],
  ['a nonce of 65 bytes', { ...demands, nonce: Buffer.alloc(65) }],
  ['a TLS key hash of 20 bytes', { ...demands, tlsKeySha256: Buffer.alloc(20) }],
  ['a time that is no number', { ...demands, time: { by: 'clock', nowMs: Number.NaN } }],
  ['an endless age', { ...demands, time: { by: 'clock', maxAgeMs: Number.POSITIVE_INFINITY } }],
  ['a negative skew', { ...demands, time: { by: 'clock', maxSkewMs: -1 } }],
  ['a TLS key where the runtime is not judged', { ...ofKms, tlsKeySha256: TLS_KEY_SHA256 }],
  ['a TLS key born inside where the runtime is not judged', { ...ofKms, attestedTlsKey: true }],
  ['pinned keys where the runtime is not judged', { ...ofKms, pinnedKeys: true }],
  ['a statement where the runtime is not judged', { ...ofKms, measurements: { pcrs: new Map([pcr(0)]), statement } }],
];

for (const [why, invalid] of INVALID) {
  t.test(`rejects to demand ${why} (ATTESTATION_POLICY_INVALID)`, (t) => {
    throwsCode(() => verify(evidenceOf(), invalid), AttestationError, 'ATTESTATION_POLICY_INVALID');
    t.end();
  });
}

const own = pemOf(chain.root);
for (const [why, trustRootPem] of [
  ['is no certificate', 'root'],
  ['is two', own + pemOf(makeChain().root)],
  ['is a key', own.replaceAll('CERTIFICATE', 'PUBLIC KEY')],
  ['is damaged', own.replace(/MII/, 'AAA')],
] as const) {
  t.test(`rejects to trust a root that ${why} (ATTESTATION_TRUST_ROOT_INVALID)`, (t) => {
    throwsCode(
      () => verify(evidenceOf(), { ...demands, trustRootPem }),
      AttestationError,
      'ATTESTATION_TRUST_ROOT_INVALID',
    );
    t.end();
  });
}

t.test('accepts PCR1 with PCR2 for the image', (t) => {
  const pcrs = new Map([pcr(1), pcr(2)]);
  t.equal(verify(evidenceOf(), { ...demands, measurements: { pcrs, statement } }).verdict, 'pass');
  t.end();
});

t.test('keeps nothing of the bytes that it was given', (t) => {
  const { document, ...rest } = evidenceOf();
  const bytes = Buffer.from(document);
  const before = verify({ ...rest, document: bytes }, demands);
  bytes.fill(0);
  t.same(before, verify({ ...rest, document }, demands));
  t.end();
});
