import t from 'tap';
import type { AttestationDocument } from '../../../attestation/document/authenticate.ts';
import { authenticateAttestationDocument } from '../../../attestation/document/authenticate.ts';
import type { AttestationPayload } from '../../../attestation/document/payload.ts';
import type { AttestationPolicy } from '../../../attestation/document/policy.ts';
import { enforceAttestationPolicy } from '../../../attestation/document/policy.ts';
import { AttestationError } from '../../../attestation/errors.ts';
import { throwsCode } from '../../support/coded-error.ts';
import { awsRootDer, DEBUG_TIME_MS, debugDocument, REAL_TIME_MS, realDocument } from '../support/aws-documents.ts';
import { payload, pcr } from '../support/payload.ts';

/** Stands for a document that has been authenticated. */
const authentic = (changes: Partial<AttestationPayload> = {}) => payload(changes) as AttestationDocument;

const MADE_AT_MS = payload().timestampMs;
const policy: AttestationPolicy = { pcrs: new Map([pcr(0)]), maxAgeMs: 60_000, nowMs: MADE_AT_MS + 1_000 };
const nonce = Buffer.from('nonce');

type Case = readonly [why: string, document: Partial<AttestationPayload>, policy: Partial<AttestationPolicy>];

const ACCEPTED: readonly Case[] = [
  ['the demanded PCR', {}, {}],
  ['several demanded PCRs', {}, { pcrs: new Map([pcr(0), pcr(1), pcr(2), pcr(16, 9)]) }],
  ['a zero PCR above 2 that is demanded', {}, { pcrs: new Map([pcr(3, 0)]) }],
  ['the demanded nonce', { nonce }, { nonce }],
  ['a nonce that nobody demanded', { nonce }, {}],
  ['the demanded public key', { publicKey: Buffer.from('key') }, { publicKey: Buffer.from('key') }],
  ['the demanded user data', { userData: Buffer.from('data') }, { userData: Buffer.from('data') }],
  ['exactly the greatest age', {}, { nowMs: MADE_AT_MS + 60_000 }],
  ['exactly the greatest skew', {}, { nowMs: MADE_AT_MS - 100, maxSkewMs: 100 }],
  ['5 s of skew when none is named', {}, { nowMs: MADE_AT_MS - 5_000 }],
];

for (const [why, document, demands] of ACCEPTED) {
  t.test(`accepts ${why}`, (t) => {
    t.doesNotThrow(() => enforceAttestationPolicy(authentic(document), { ...policy, ...demands }));
    t.end();
  });
}

const zeroed = (index: number) => new Map([...payload().pcrs, pcr(index, 0)]);
const lacking = (index: number) => new Map([...payload().pcrs].filter(([key]) => key !== index));

const REFUSED: readonly [...Case, code: AttestationError['code']][] = [
  ['a policy without PCRs', {}, { pcrs: new Map() }, 'ATTESTATION_POLICY_INVALID'],
  [
    'a policy with a PCR of 32 bytes',
    {},
    { pcrs: new Map([pcr(0, Buffer.alloc(32, 1))]) },
    'ATTESTATION_POLICY_INVALID',
  ],
  ['a policy without a sensible age', {}, { maxAgeMs: Number.NaN }, 'ATTESTATION_POLICY_INVALID'],
  ['a policy without a sensible time', {}, { nowMs: Number.NaN }, 'ATTESTATION_POLICY_INVALID'],
  ['a policy without a sensible skew', {}, { maxSkewMs: Number.NaN }, 'ATTESTATION_POLICY_INVALID'],
  ['a zero PCR0', { pcrs: zeroed(0) }, { pcrs: new Map([pcr(1)]) }, 'ATTESTATION_DEBUG_MODE'],
  ['a zero PCR1', { pcrs: zeroed(1) }, {}, 'ATTESTATION_DEBUG_MODE'],
  ['a zero PCR2', { pcrs: zeroed(2) }, {}, 'ATTESTATION_DEBUG_MODE'],
  [
    'a zero PCR0 although the policy names it',
    { pcrs: zeroed(0) },
    { pcrs: new Map([pcr(0, 0)]) },
    'ATTESTATION_DEBUG_MODE',
  ],
  ['a document without PCR2', { pcrs: lacking(2) }, {}, 'ATTESTATION_PCR_MISSING'],
  ['a document without a demanded PCR', {}, { pcrs: new Map([pcr(8)]) }, 'ATTESTATION_PCR_MISSING'],
  ['another PCR0', {}, { pcrs: new Map([pcr(0, 7)]) }, 'ATTESTATION_PCR_MISMATCH'],
  ['another PCR16 beside the right PCR0', {}, { pcrs: new Map([pcr(0), pcr(16, 8)]) }, 'ATTESTATION_PCR_MISMATCH'],
  ['no nonce where one is demanded', {}, { nonce }, 'ATTESTATION_NONCE_MISSING'],
  ['another nonce', { nonce: Buffer.from('other') }, { nonce }, 'ATTESTATION_NONCE_MISMATCH'],
  ['a longer nonce that starts alike', { nonce: Buffer.from('nonce!') }, { nonce }, 'ATTESTATION_NONCE_MISMATCH'],
  ['an empty nonce', { nonce: Buffer.alloc(0) }, { nonce }, 'ATTESTATION_NONCE_MISMATCH'],
  ['a document that is 1 ms too old', {}, { nowMs: MADE_AT_MS + 60_001 }, 'ATTESTATION_TOO_OLD'],
  ['a document from beyond the skew', {}, { nowMs: MADE_AT_MS - 5_001 }, 'ATTESTATION_FROM_FUTURE'],
  ['a document 1 ms ahead without skew', {}, { nowMs: MADE_AT_MS - 1, maxSkewMs: 0 }, 'ATTESTATION_FROM_FUTURE'],
  ['no public key', {}, { publicKey: Buffer.from('key') }, 'ATTESTATION_PUBLIC_KEY_MISMATCH'],
  [
    'another public key',
    { publicKey: Buffer.from('k') },
    { publicKey: Buffer.from('key') },
    'ATTESTATION_PUBLIC_KEY_MISMATCH',
  ],
  ['no user data', {}, { userData: Buffer.from('data') }, 'ATTESTATION_USER_DATA_MISMATCH'],
  [
    'other user data',
    { userData: Buffer.from('x') },
    { userData: Buffer.from('data') },
    'ATTESTATION_USER_DATA_MISMATCH',
  ],
];

for (const [why, document, demands, code] of REFUSED) {
  t.test(`rejects ${why} (${code})`, (t) => {
    const demanded = { ...policy, ...demands };
    throwsCode(() => enforceAttestationPolicy(authentic(document), demanded), AttestationError, code);
    t.end();
  });
}

t.test('accepts a real document by its measurements and nonce', (t) => {
  const document = authenticateAttestationDocument(realDocument, { rootDer: awsRootDer, nowMs: REAL_TIME_MS });
  const demands = { pcrs: document.pcrs, nonce: document.nonce!, maxAgeMs: 1000, nowMs: REAL_TIME_MS };
  t.doesNotThrow(() => enforceAttestationPolicy(document, demands));
  t.end();
});

t.test('rejects the document of a real debug-mode enclave (ATTESTATION_DEBUG_MODE)', (t) => {
  const document = authenticateAttestationDocument(debugDocument, { rootDer: awsRootDer, nowMs: DEBUG_TIME_MS });
  const demands = { pcrs: document.pcrs, maxAgeMs: 1000, nowMs: DEBUG_TIME_MS };
  throwsCode(() => enforceAttestationPolicy(document, demands), AttestationError, 'ATTESTATION_DEBUG_MODE');
  t.end();
});
