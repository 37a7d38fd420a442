import t from 'tap';
import { verifyChain } from '../../../attestation/document/chain.ts';
import { AttestationError } from '../../../attestation/errors.ts';
import { throwsCode } from '../../support/coded-error.ts';
import type { CertificateSpec } from '../support/certificate.ts';
import { ca, caUsage, extension, issue, leafUsage, notCa, pemOf } from '../support/certificate.ts';
import type { Chain, Level } from '../support/chain.ts';
import { cabundleOf, makeChain, NOW_MS, VALIDITY } from '../support/chain.ts';
import { hex, tlv } from '../support/der.ts';

function verify(chain: Chain, nowMs = NOW_MS, cabundle = cabundleOf(chain)): unknown {
  return verifyChain(chain.leaf.der, cabundle, { rootDer: chain.root.der, nowMs });
}

t.test('accepts a chain in the shape of AWS', (t) => {
  t.ok(verify(makeChain()));
  t.end();
});

t.test('accepts a leaf issued by the root itself', (t) => {
  const { root } = makeChain();
  const leaf = issue({ name: 'leaf', ...VALIDITY, extensions: [notCa, leafUsage] }, root);
  t.ok(verifyChain(leaf.der, [root.der], { rootDer: root.der, nowMs: NOW_MS }));
  t.end();
});

t.test('accepts a leaf without basic constraints', (t) => {
  t.ok(verify(makeChain({ leaf: { extensions: [leafUsage] } })));
  t.end();
});

t.test('trusts the pinned root and not the one in the document (ATTESTATION_ROOT_MISMATCH)', (t) => {
  const [own, other] = [makeChain(), makeChain()];
  const trust = { rootDer: other.root.der, nowMs: NOW_MS };
  throwsCode(() => verifyChain(own.leaf.der, cabundleOf(own), trust), AttestationError, 'ATTESTATION_ROOT_MISMATCH');
  t.end();
});

t.test('rejects a forged chain behind the true root (ATTESTATION_CHAIN_BROKEN)', (t) => {
  const [own, forged] = [makeChain(), makeChain()];
  const cabundle = [own.root.der, ...cabundleOf(forged).slice(1)];
  const trust = { rootDer: own.root.der, nowMs: NOW_MS };
  throwsCode(() => verifyChain(forged.leaf.der, cabundle, trust), AttestationError, 'ATTESTATION_CHAIN_BROKEN');
  t.end();
});

const WRONG_ORDERS: readonly [why: string, pick: (chain: Chain) => readonly Buffer[]][] = [
  ['a missing intermediate', ({ root, region, instance }) => [root.der, region.der, instance.der]],
  ['swapped intermediates', ({ root, region, zone, instance }) => [root.der, zone.der, region.der, instance.der]],
  [
    'an intermediate that is there twice',
    ({ root, region, zone, instance }) => [root.der, region.der, zone.der, instance.der, instance.der],
  ],
];

for (const [why, pick] of WRONG_ORDERS) {
  t.test(`rejects a chain with ${why}`, (t) => {
    const chain = makeChain();
    t.throws(() => verify(chain, NOW_MS, pick(chain)), AttestationError);
    t.end();
  });
}

const MINUTE_MS = 60_000;
for (const level of ['root', 'region', 'zone', 'instance', 'leaf'] as const) {
  t.test(`holds the ${level} certificate to its validity`, (t) => {
    const chain = makeChain({ [level]: { notBeforeMs: NOW_MS - MINUTE_MS, notAfterMs: NOW_MS + MINUTE_MS } });
    t.ok(verify(chain, NOW_MS - MINUTE_MS));
    t.ok(verify(chain, NOW_MS + MINUTE_MS));
    const early = 'ATTESTATION_CERTIFICATE_NOT_YET_VALID';
    throwsCode(() => verify(chain, NOW_MS - MINUTE_MS - 1), AttestationError, early);
    throwsCode(() => verify(chain, NOW_MS + MINUTE_MS + 1), AttestationError, 'ATTESTATION_CERTIFICATE_EXPIRED');
    t.end();
  });
}

type Mutation = readonly [why: string, level: Level, change: Partial<CertificateSpec>];

const pathLengthWithoutCa = extension('551d13', true, hex('3003020100'));
const explicitFalse = extension('551d13', true, hex('3003010100'));
const emptyUsage = extension('551d0f', true, hex('030100'));
const usageInUnusedBits = extension('551d0f', true, hex('03020784'));
const unknownExtension = (critical: boolean) => extension('2a0304', critical, hex('0500'));
const agreementOnly = extension('551d0f', true, hex('03020308'));

const CONSTRAINTS: readonly Mutation[] = [
  ['an intermediate that is no CA', 'zone', { extensions: [notCa, caUsage] }],
  ['an intermediate without basic constraints', 'zone', { extensions: [caUsage] }],
  ['an intermediate with basic constraints that are not critical', 'zone', { extensions: [ca(1, false), caUsage] }],
  ['an intermediate that may not sign certificates', 'instance', { extensions: [ca(0), leafUsage] }],
  ['an intermediate without key usage', 'instance', { extensions: [ca(0)] }],
  ['a region with path length 1', 'region', { extensions: [ca(1), caUsage] }],
  ['a zone with path length 0', 'zone', { extensions: [ca(0), caUsage] }],
  ['a root with path length 2', 'root', { extensions: [ca(2), caUsage] }],
  ['a root that is no CA', 'root', { extensions: [notCa, caUsage] }],
  ['a leaf that is a CA', 'leaf', { extensions: [ca(), leafUsage] }],
  ['a leaf with a path length', 'leaf', { extensions: [pathLengthWithoutCa, leafUsage] }],
  ['a leaf that may not sign', 'leaf', { extensions: [notCa, agreementOnly] }],
  ['a leaf without key usage', 'leaf', { extensions: [notCa] }],
];

const INVALID: readonly Mutation[] = [
  ['a leaf with a P-256 key', 'leaf', { curve: 'P-256' }],
  ['an intermediate with a P-256 key', 'zone', { curve: 'P-256' }],
  ['a leaf signed with SHA-256', 'leaf', { hash: 'sha256' }],
  ['an intermediate signed with SHA-256', 'region', { hash: 'sha256' }],
  ['a leaf that names two signature algorithms', 'leaf', { namedHash: 'sha256' }],
  ['an unknown critical extension', 'leaf', { extensions: [notCa, leafUsage, unknownExtension(true)] }],
  ['key usage there twice', 'leaf', { extensions: [notCa, leafUsage, leafUsage] }],
  ['basic constraints with an explicit FALSE', 'leaf', { extensions: [explicitFalse, leafUsage] }],
  ['a key usage in bits that are said to be unused', 'instance', { extensions: [ca(0), usageInUnusedBits] }],
  ['a key usage without bits', 'leaf', { extensions: [notCa, emptyUsage] }],
];

for (const [code, table] of [
  ['ATTESTATION_CHAIN_CONSTRAINT', CONSTRAINTS],
  ['ATTESTATION_CERTIFICATE_INVALID', INVALID],
] as const) {
  for (const [why, level, change] of table) {
    t.test(`rejects ${why} (${code})`, (t) => {
      const chain = makeChain({ [level]: change });
      throwsCode(() => verify(chain), AttestationError, code);
      t.end();
    });
  }
}

t.test('accepts a path length that is just enough', (t) => {
  t.ok(verify(makeChain({ root: { extensions: [ca(3), caUsage] } })));
  t.end();
});

t.test('accepts an unknown extension that is not critical', (t) => {
  t.ok(verify(makeChain({ leaf: { extensions: [notCa, leafUsage, unknownExtension(false)] } })));
  t.end();
});

t.test('rejects an issuer name that is not the subject above (ATTESTATION_CHAIN_BROKEN)', (t) => {
  for (const issuerName of ['somebody else', 'INSTANCE']) {
    const chain = makeChain({ leaf: { issuerName } });
    throwsCode(() => verify(chain), AttestationError, 'ATTESTATION_CHAIN_BROKEN');
  }
  t.end();
});

const ENCODINGS: readonly [why: string, encode: (der: Buffer) => Buffer][] = [
  ['in PEM', (der) => Buffer.from(pemOf({ der }))],
  ['with trailing bytes', (der) => Buffer.concat([der, hex('00')])],
  ['cut short', (der) => der.subarray(0, -1)],
  ['that is none', () => Buffer.from('certificate')],
  ['with an empty body', () => tlv(0x30, tlv(0x30), tlv(0x30), tlv(0x03, hex('00')))],
];

for (const [why, encode] of ENCODINGS) {
  t.test(`rejects a certificate ${why} (ATTESTATION_CERTIFICATE_INVALID)`, (t) => {
    const chain = makeChain();
    const leaf = { ...chain.leaf, der: encode(chain.leaf.der) };
    throwsCode(() => verify({ ...chain, leaf }), AttestationError, 'ATTESTATION_CERTIFICATE_INVALID');
    const zone = { ...chain.zone, der: encode(chain.zone.der) };
    throwsCode(() => verify({ ...chain, zone }), AttestationError, 'ATTESTATION_CERTIFICATE_INVALID');
    t.end();
  });
}
