/** Vectors that break the certificate chain or the signature. */
import { encodeAttestationPayload } from '../../../../attestation/document/encode.ts';
import { coseToBeSigned, ES384, encodeCoseSign1 } from '../../../../encoding/cose-sign1.ts';
import { ca, caUsage, extension, leafUsage, notCa, pemOf } from '../../support/certificate.ts';
import { type Chain, type ChainChanges, cabundleOf, makeChain, NOW_MS } from '../../support/chain.ts';
import { hex } from '../../support/der.ts';
import { signRaw } from '../../support/deterministic-ecdsa.ts';
import { chain, documentOf, payloadOf, rootPem, type VectorSource, withChain } from './vector.ts';

const STEPS = 'nsm-api attestation_process.md section 3.2.3: ';
const RFC5280 = 'RFC 5280 section ';
const MINUTE_MS = 60_000;

const { root, region, zone, instance } = chain;
const other = makeChain({}, 'another authority');

const ORDERS: readonly [name: string, claim: string, code: string, document: Buffer][] = [
  ['root: another authority', 'root', 'ATTESTATION_ROOT_MISMATCH', withChain(other)],
  ['root: missing', 'root', 'ATTESTATION_ROOT_MISMATCH', withChain(chain, [region.der, zone.der, instance.der])],
  ['root: last in cabundle', 'root', 'ATTESTATION_ROOT_MISMATCH', withChain(chain, cabundleOf(chain).toReversed())],
  [
    'order: intermediates swapped',
    'chain-order',
    'ATTESTATION_CHAIN_BROKEN',
    withChain(chain, [root.der, zone.der, region.der, instance.der]),
  ],
  [
    'order: intermediates reversed',
    'chain-order',
    'ATTESTATION_CHAIN_BROKEN',
    withChain(chain, [root.der, instance.der, zone.der, region.der]),
  ],
  [
    'order: intermediate missing',
    'chain-order',
    'ATTESTATION_CHAIN_BROKEN',
    withChain(chain, [root.der, region.der, instance.der]),
  ],
  [
    'order: intermediate twice',
    'chain-order',
    'ATTESTATION_CHAIN_BROKEN',
    withChain(chain, [...cabundleOf(chain), instance.der]),
  ],
];

/** A chain of its own for each change, trusted by its own root. */
function changed(name: string, clause: string, changes: ChainChanges, fails: VectorSource['fails']): VectorSource {
  const own: Chain = makeChain(changes, 'verifier vectors');
  return { name, clause, document: withChain(own), rootPem: pemOf(own.root), fails };
}

const VALIDITY: readonly VectorSource[] = (['root', 'region', 'zone', 'instance', 'leaf'] as const).flatMap((level) => [
  changed(
    `validity: ${level} has expired`,
    `${RFC5280}6.1.3 (a)(2): the time is within the validity`,
    { [level]: { notBeforeMs: NOW_MS - 2 * MINUTE_MS, notAfterMs: NOW_MS - MINUTE_MS } },
    { 'certificate-validity': 'ATTESTATION_CERTIFICATE_EXPIRED' },
  ),
  changed(
    `validity: ${level} is not valid yet`,
    `${RFC5280}6.1.3 (a)(2): the time is within the validity`,
    { [level]: { notBeforeMs: NOW_MS + MINUTE_MS, notAfterMs: NOW_MS + 2 * MINUTE_MS } },
    { 'certificate-validity': 'ATTESTATION_CERTIFICATE_NOT_YET_VALID' },
  ),
]);

const pathLengthWithoutCa = extension('551d13', true, hex('3003020100'));
const agreementOnly = extension('551d0f', true, hex('03020308'));
const explicitFalse = extension('551d13', true, hex('3003010100'));
const emptyUsage = extension('551d0f', true, hex('030100'));
const unknownCritical = extension('2a0304', true, hex('0500'));

const PATH_LENGTH: readonly [name: string, changes: ChainChanges][] = [
  ['root allows two authorities below', { root: { extensions: [ca(2), caUsage] } }],
  ['region allows one authority below', { region: { extensions: [ca(1), caUsage] } }],
  ['zone allows no authority below', { zone: { extensions: [ca(0), caUsage] } }],
  ['root is no authority', { root: { extensions: [notCa, caUsage] } }],
  ['intermediate is no authority', { zone: { extensions: [notCa, caUsage] } }],
  ['intermediate without basic constraints', { zone: { extensions: [caUsage] } }],
  ['basic constraints are not critical', { zone: { extensions: [ca(1, false), caUsage] } }],
  ['leaf is an authority', { leaf: { extensions: [ca(), leafUsage] } }],
  ['leaf has a path length', { leaf: { extensions: [pathLengthWithoutCa, leafUsage] } }],
];

const KEY_USAGE: readonly [name: string, changes: ChainChanges][] = [
  ['root may not sign certificates', { root: { extensions: [ca(), leafUsage] } }],
  ['intermediate may not sign certificates', { instance: { extensions: [ca(0), leafUsage] } }],
  ['intermediate without key usage', { instance: { extensions: [ca(0)] } }],
  ['leaf may not sign', { leaf: { extensions: [notCa, agreementOnly] } }],
  ['leaf without key usage', { leaf: { extensions: [notCa] } }],
];

const FORM: readonly [name: string, changes: ChainChanges][] = [
  ['leaf with a key on P-256', { leaf: { curve: 'P-256' } }],
  ['intermediate with a key on P-256', { zone: { curve: 'P-256' } }],
  ['leaf signed with SHA-256', { leaf: { hash: 'sha256' } }],
  ['intermediate signed with SHA-256', { region: { hash: 'sha256' } }],
  ['two signature algorithms named', { leaf: { namedHash: 'sha256' } }],
  ['unknown critical extension', { leaf: { extensions: [notCa, leafUsage, unknownCritical] } }],
  ['extension twice', { leaf: { extensions: [notCa, leafUsage, leafUsage] } }],
  ['cA FALSE written out', { leaf: { extensions: [explicitFalse, leafUsage] } }],
  ['key usage without bits', { leaf: { extensions: [notCa, emptyUsage] } }],
];

const BYTES: readonly [name: string, certificate: Buffer][] = [
  ['trailing byte', Buffer.concat([chain.leaf.der, hex('00')])],
  ['cut short', chain.leaf.der.subarray(0, -1)],
  ['PEM', Buffer.from(pemOf(chain.leaf))],
  ['no certificate', Buffer.from('certificate')],
];

const invalid = { certificates: 'ATTESTATION_CERTIFICATE_INVALID' };
const body = encodeAttestationPayload(payloadOf());
const seal = (payload: Buffer, signature: Buffer) => encodeCoseSign1({ algorithm: ES384, payload, signature });
const toBeSigned = coseToBeSigned(ES384, body);
const right = signRaw('sha384', toBeSigned, chain.leaf.privateKey);
const changedBody = Buffer.from(body);
changedBody.write('enc9', changedBody.indexOf('enc0'));

const SIGNATURES: readonly [name: string, document: Buffer][] = [
  ["another enclave's key", seal(body, signRaw('sha384', toBeSigned, other.leaf.privateKey))],
  ["the key of the leaf's issuer", seal(body, signRaw('sha384', toBeSigned, instance.privateKey))],
  ['over SHA-256', seal(body, signRaw('sha256', toBeSigned, chain.leaf.privateKey))],
  ['over the payload alone', seal(body, signRaw('sha384', body, chain.leaf.privateKey))],
  ['r and s exchanged', seal(body, Buffer.concat([right.subarray(48), right.subarray(0, 48)]))],
  ['all zero', seal(body, Buffer.alloc(96))],
  ['payload changed afterwards', seal(changedBody, right)],
];

export const CHAIN: readonly VectorSource[] = [
  ...ORDERS.map(([name, claim, code, document]) => ({
    name,
    clause: `${STEPS}cabundle is ROOT, INTERM_1 … INTERM_N; each certificate was issued by the one before`,
    document,
    rootPem,
    fails: { [claim]: code },
  })),
  changed(
    'order: issuer named otherwise than the authority above',
    `${RFC5280}6.1.3 (a)(4): the issuer's name is the subject above`,
    { leaf: { issuerName: 'INSTANCE' } },
    { 'chain-order': 'ATTESTATION_CHAIN_BROKEN' },
  ),
  ...VALIDITY,
  ...PATH_LENGTH.map(([name, changes]) =>
    changed(`path length: ${name}`, `${RFC5280}4.2.1.9 and 6.1.4 (k)-(m): basic constraints`, changes, {
      'path-length': 'ATTESTATION_CHAIN_CONSTRAINT',
    }),
  ),
  ...KEY_USAGE.map(([name, changes]) =>
    changed(`key usage: ${name}`, `${RFC5280}4.2.1.3 and 6.1.4 (n): key usage`, changes, {
      'key-usage': 'ATTESTATION_CHAIN_CONSTRAINT',
    }),
  ),
  ...FORM.map(([name, changes]) =>
    changed(
      `certificate: ${name}`,
      `${STEPS}X.509 version 3, P-384, ecdsa-with-SHA384; RFC 5280 section 4`,
      changes,
      invalid,
    ),
  ),
  ...BYTES.map(([name, certificate]) => ({
    name: `certificate: ${name}`,
    clause: 'X.690 section 10; RFC 5280 section 4.1: one certificate in DER',
    document: documentOf({ certificate }),
    fails: invalid,
  })),
  ...SIGNATURES.map(([name, document]) => ({
    name: `signature: ${name}`,
    clause: "RFC 9052 section 4.4: ES384 over Sig_structure by the leaf's key",
    document,
    fails: { signature: 'ATTESTATION_SIGNATURE_INVALID' },
  })),
];
