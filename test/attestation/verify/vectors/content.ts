/** Vectors of authentic documents that do not say what is demanded: freshness, registers, runtime statement, keys. */
import { createHash } from 'node:crypto';
import type { AttestationPayload } from '../../../../attestation/document/payload.ts';
import {
  type AcraRuntimeStatement,
  commitmentTo,
  encodeStatement,
  pcrOfCommitment,
} from '../../../../attestation/runtime/statement.ts';
import { encodeUserData } from '../../../../attestation/runtime/user-data.ts';
import { writeCbor } from '../../../../encoding/cbor/writer.ts';
import { NOW_MS } from '../../support/chain.ts';
import { hex } from '../../support/der.ts';
import { pcr } from '../../support/payload.ts';
import { keptByParent, NONCE, statement, TLS_KEY_SHA256 } from '../support/evidence.ts';
import { chain, documentOf, encodedStatement, MADE_AT_MS, onlyPcr0, payloadOf, type VectorSource } from './vector.ts';

const NONCE_RULE = 'acra-enclave checklist, nonce: the document carries exactly the nonce that was sent';
const AGE_RULE = 'acra-enclave checklist, age: made at most maxAgeMs ago, at most maxSkewMs ahead';

const nonces: readonly [name: string, nonce: Buffer | undefined, code: string][] = [
  ['missing', undefined, 'ATTESTATION_NONCE_MISSING'],
  ['empty', Buffer.alloc(0), 'ATTESTATION_NONCE_MISSING'],
  ['another', Buffer.alloc(32, 0x4f), 'ATTESTATION_NONCE_MISMATCH'],
  ['its first half', NONCE.subarray(16), 'ATTESTATION_NONCE_MISMATCH'],
  ['a byte longer', Buffer.concat([NONCE, hex('00')]), 'ATTESTATION_NONCE_MISMATCH'],
];

export const FRESHNESS: readonly VectorSource[] = [
  ...nonces.map(([name, nonce, code]) => ({
    name: `nonce: ${name}`,
    clause: NONCE_RULE,
    document: documentOf({ nonce }),
    fails: { nonce: code },
  })),
  {
    name: 'age: a millisecond too old',
    clause: AGE_RULE,
    document: documentOf(),
    nowMs: MADE_AT_MS + 300_001,
    fails: { age: 'ATTESTATION_TOO_OLD' },
  },
  {
    name: 'age: a millisecond too far ahead',
    clause: AGE_RULE,
    document: documentOf(),
    nowMs: MADE_AT_MS - 5_001,
    fails: { age: 'ATTESTATION_FROM_FUTURE' },
  },
  {
    name: 'age: ahead where no skew is allowed',
    clause: AGE_RULE,
    document: documentOf(),
    nowMs: MADE_AT_MS - 1,
    demands: { maxSkewMs: 0 },
    fails: { age: 'ATTESTATION_FROM_FUTURE' },
  },
  {
    name: 'age: saved, and made after its certificates had ended',
    clause: "nitro-formats 3.6, chain step 2: archived evidence is judged at the document's own time",
    document: documentOf({ timestampMs: NOW_MS + 86_400_000 }),
    demands: { savedDocument: true },
    fails: { 'certificate-validity': 'ATTESTATION_CERTIFICATE_EXPIRED' },
  },
];

const pcrsWith = (...changed: ReturnType<typeof pcr>[]) => ({ pcrs: new Map([...payloadOf().pcrs, ...changed]) });
const pcrsWithout = (index: number) => ({ pcrs: new Map([...payloadOf().pcrs].filter(([key]) => key !== index)) });
const DEBUG_RULE = 'Nitro Enclaves user guide, "debug mode": PCR0-2 of a debug-mode enclave are all zero';
const PCR_RULE = 'acra-enclave checklist, registers: each demanded register is there and equal';
const LOCK_RULE = 'nitro-formats 3.5: documents carry locked registers; one that is missing was not locked';
const COMMITMENT_RULE = 'attestation-requests 1.2: PCR16 is extended once, by the commitment';

const register = (
  name: string,
  clause: string,
  changes: Partial<AttestationPayload>,
  fails: VectorSource['fails'],
) => ({
  name: `registers: ${name}`,
  clause,
  document: documentOf(changes),
  fails,
});
const commitment = commitmentTo(encodedStatement);
const twice = createHash('sha384').update(pcrOfCommitment(commitment)).update(commitment).digest();

export const REGISTERS: readonly VectorSource[] = [
  ...[0, 1, 2].flatMap((index) => [
    register(`PCR${index} all zero`, DEBUG_RULE, pcrsWith(pcr(index, 0)), { 'not-debug': 'ATTESTATION_DEBUG_MODE' }),
    register(`PCR${index} missing`, LOCK_RULE, pcrsWithout(index), { 'not-debug': 'ATTESTATION_PCR_MISSING' }),
  ]),
  ...[0, 1, 2, 3, 4, 8].map((index) =>
    register(`PCR${index} another`, PCR_RULE, pcrsWith(pcr(index, 0x66)), {
      [`pcr${index}`]: 'ATTESTATION_PCR_MISMATCH',
    }),
  ),
  ...[3, 4, 8].flatMap((index) => [
    register(`PCR${index} not locked`, LOCK_RULE, pcrsWithout(index), { [`pcr${index}`]: 'ATTESTATION_PCR_MISSING' }),
    register(`PCR${index} zero`, PCR_RULE, pcrsWith(pcr(index, 0)), { [`pcr${index}`]: 'ATTESTATION_PCR_MISMATCH' }),
  ]),
  register('PCR16 another', COMMITMENT_RULE, pcrsWith(pcr(16, 0x66)), { pcr16: 'ATTESTATION_PCR_MISMATCH' }),
  register('PCR16 not extended', COMMITMENT_RULE, pcrsWith(pcr(16, 0)), { pcr16: 'ATTESTATION_PCR_MISMATCH' }),
  register('PCR16 extended twice', COMMITMENT_RULE, pcrsWith(pcr(16, twice)), { pcr16: 'ATTESTATION_PCR_MISMATCH' }),
  register('PCR16 is the commitment itself', COMMITMENT_RULE, pcrsWith(pcr(16, commitment)), {
    pcr16: 'ATTESTATION_PCR_MISMATCH',
  }),
  register('PCR16 not locked', LOCK_RULE, pcrsWithout(16), { pcr16: 'ATTESTATION_PCR_MISSING' }),
  ...[5, 7, 15, 17, 31].map((index) =>
    register(
      `PCR${index} holds a value`,
      'acra-enclave checklist, other registers: what is not known is all zero',
      pcrsWith(pcr(index)),
      {
        'other-registers': 'ATTESTATION_PCR_UNKNOWN',
      },
    ),
  ),
];

const USER_DATA_RULE =
  'attestation/runtime/user-data.ts: CBOR, deterministic, exactly version, commitment, tls_key_sha256';
const userData = encodeUserData({ tlsKeySha256: TLS_KEY_SHA256, commitment });
const badUserData: readonly [name: string, userData: Buffer | undefined][] = [
  ['missing', undefined],
  ['empty', Buffer.alloc(0)],
  ['no CBOR', Buffer.from('hello, world!')],
  ['version 2', writeCbor({ version: 2, commitment, tls_key_sha256: TLS_KEY_SHA256 })],
  ['no version', writeCbor({ commitment, tls_key_sha256: TLS_KEY_SHA256 })],
  ['an unknown member', writeCbor({ version: 1, commitment, tls_key_sha256: TLS_KEY_SHA256, more: 1 })],
  ['members in another order', writeCbor({ commitment, version: 1, tls_key_sha256: TLS_KEY_SHA256 })],
  [
    'a commitment of 47 bytes',
    writeCbor({ version: 1, commitment: commitment.subarray(1), tls_key_sha256: TLS_KEY_SHA256 }),
  ],
  ['a TLS key hash of 48 bytes', writeCbor({ version: 1, commitment, tls_key_sha256: commitment })],
  ['trailing byte', Buffer.concat([userData, hex('00')])],
  ['version in two bytes', Buffer.concat([hex('a36776657273696f6e1801'), userData.subarray(10)])],
];

/** An enclave that states this, and is expected to. */
function stating(
  name: string,
  clause: string,
  stated: AcraRuntimeStatement,
  fails: VectorSource['fails'],
): VectorSource {
  const document = documentOf({}, chain, stated);
  return { name, clause, document, statement: encodeStatement(stated), demands: onlyPcr0(stated), fails };
}

const STATEMENT_RULE = 'attestation-requests 1: canonical JSON (RFC 8785), exactly the known members';
const text = encodedStatement.toString();
const keptText = encodeStatement(keptByParent('none')).toString();
const keptFaults: readonly [name: string, from: string, to: string][] = [
  ['keys that nobody may change', /"operators":\[.*?\]/.exec(keptText)?.[0] ?? '', '"operators":[]'],
  ['keys that change without approval', '"approvals":2', '"approvals":0'],
  ['an unknown pin', '"pin":"none"', '"pin":"newest"'],
  ['a pin of 31 bytes', '"pin":"none"', `"pin":"${'77'.repeat(31)}"`],
  ['an image of 47 bytes', '66'.repeat(48), '66'.repeat(47)],
  ['an operator without a key', `"key":"${'44'.repeat(32)}",`, ''],
];
const badStatements: readonly [name: string, shown: Buffer][] = [
  ['no JSON', Buffer.from('statement')],
  ['empty', Buffer.alloc(0)],
  ['a line feed at its end', Buffer.from(`${text}\n`)],
  ['a space', Buffer.from(text.replace(':', ': '))],
  ['members in another order', Buffer.from(JSON.stringify(statement))],
  ['an unknown member', Buffer.from(text.replace('{', '{"a":1,'))],
  ['version 2', Buffer.from(text.replace('"version":1', '"version":2'))],
  ['a member twice', Buffer.from(text.replace('"version":1', '"version":1,"version":1'))],
  ['an unknown guard mode', Buffer.from(text.replace('"enforce"', '"off"'))],
  ['keys of an unknown source', Buffer.from(text.replace('"source":"image"', '"source":"disk"'))],
  ['no keys', Buffer.from(text.replace('"keys":{"source":"image"},', ''))],
  ['keys of the image that operators change', Buffer.from(text.replace('{"source"', '{"approvals":1,"source"'))],
  ...keptFaults.map(([name, from, to]): [string, Buffer] => [name, Buffer.from(keptText.replace(from, to))]),
  ['longer than 65536 bytes', Buffer.from(text.replace('patients', 'p'.repeat(65_536)))],
];

const other = { ...statement, database: { ...statement.database, serverName: 'elsewhere.example.org' } };

export const RUNTIME: readonly VectorSource[] = [
  ...badUserData.map(([name, data]) => ({
    name: `user data: ${name}`,
    clause: USER_DATA_RULE,
    document: documentOf({ userData: data }),
    fails: { 'user-data': 'ATTESTATION_USER_DATA_INVALID' },
  })),
  ...badStatements.map(([name, shown]) => ({
    name: `statement: ${name}`,
    clause: STATEMENT_RULE,
    document: documentOf(),
    statement: shown,
    fails: { statement: 'ATTESTATION_STATEMENT_INVALID' },
  })),
  {
    name: 'statement: none',
    clause: 'acra-enclave checklist, statement: shown with the document, or expected',
    document: documentOf(),
    statement: null,
    demands: onlyPcr0(),
    fails: { statement: 'ATTESTATION_STATEMENT_MISSING' },
  },
  {
    name: 'commitment: to another statement than the one that is shown',
    clause: 'attestation-requests 1.2: commitment = SHA-384(domain ‖ 00 ‖ encoding)',
    document: documentOf({
      userData: encodeUserData({ tlsKeySha256: TLS_KEY_SHA256, commitment: commitmentTo(encodeStatement(other)) }),
    }),
    fails: { commitment: 'ATTESTATION_COMMITMENT_MISMATCH' },
  },
  {
    name: 'commitment: without the domain',
    clause: 'attestation-requests 1.2: commitment = SHA-384(domain ‖ 00 ‖ encoding)',
    document: documentOf({
      userData: encodeUserData({
        tlsKeySha256: TLS_KEY_SHA256,
        commitment: createHash('sha384').update(encodedStatement).digest(),
      }),
    }),
    fails: { commitment: 'ATTESTATION_COMMITMENT_MISMATCH' },
  },
  {
    name: 'commitment: a statement is shown that the enclave did not make',
    clause: 'attestation-requests 1.2: commitment = SHA-384(domain ‖ 00 ‖ encoding)',
    document: documentOf({}, chain, other),
    fails: { commitment: 'ATTESTATION_COMMITMENT_MISMATCH' },
  },
  {
    name: 'statement: another than expected',
    clause: 'acra-enclave checklist, expected statement: every member is equal',
    document: documentOf({}, chain, other),
    statement: encodeStatement(other),
    fails: { 'expected-statement': 'ATTESTATION_STATEMENT_MISMATCH' },
  },
  stating(
    'guard: reports',
    'acra-enclave checklist, guard: enforces',
    { ...statement, guard: { ...statement.guard, mode: 'report' } },
    {
      guard: 'ATTESTATION_GUARD_NOT_ENFORCING',
    },
  ),
  stating(
    'guard: none',
    'acra-enclave checklist, guard: enforces',
    { ...statement, ingress: 'passthrough', guard: { mode: 'none', relations: 'none', migrations: [] } },
    { guard: 'ATTESTATION_GUARD_NOT_ENFORCING' },
  ),
  stating(
    'relations: any',
    'acra-enclave checklist, relations: listed',
    { ...statement, guard: { ...statement.guard, relations: 'any' } },
    {
      relations: 'ATTESTATION_ANY_RELATION',
    },
  ),
  stating(
    'migrations: one is open',
    'acra-enclave checklist, migrations: none is open',
    { ...statement, guard: { ...statement.guard, migrations: ['patients.name'] } },
    { migrations: 'ATTESTATION_MIGRATION_OPEN' },
  ),
  stating(
    'rollback: nothing pins the keys, though that is demanded',
    'acra-enclave checklist, rollback: keys of the image, or one key set by its digest',
    keptByParent('none'),
    { rollback: 'ATTESTATION_KEYS_UNPINNED' },
  ),
  stating(
    'rollback: the key policy alone pins the keys, though it is not allowed by name',
    'acra-enclave checklist, rollback: no attestation shows a key policy',
    keptByParent('policy'),
    { rollback: 'ATTESTATION_KEYS_UNPINNED' },
  ),
];
