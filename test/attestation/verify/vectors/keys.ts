/** Vectors of the keys that a document binds. */
import { encodeStatement } from '../../../../attestation/runtime/statement.ts';
import { hex } from '../../support/der.ts';
import { HPKE_KEY, statement } from '../support/evidence.ts';
import { chain, documentOf, onlyPcr0, type VectorSource } from './vector.ts';

const HPKE_RULE = 'RFC 9180 section 7.1.4, RFC 7748 section 6.1: 32 bytes, not of small order';
const sealed = { ...statement, tlsKey: 'sealed' } as const;

/** The points of small order on Curve25519 and its twist, and their other encodings (RFC 7748 section 6.1; https://cr.yp.to/ecdh.html). */
const SMALL_ORDER: readonly string[] = [
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000000',
  'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800',
  '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  '0000000000000000000000000000000000000000000000000000000000000080',
];

const badKeys: readonly (readonly [name: string, publicKey: Buffer | undefined])[] = [
  ['missing', undefined],
  ['31 bytes', HPKE_KEY.subarray(1)],
  ['33 bytes', Buffer.concat([HPKE_KEY, hex('00')])],
  ['SubjectPublicKeyInfo', Buffer.concat([hex('302a300506032b656e032100'), HPKE_KEY])],
  ...SMALL_ORDER.map((key, i) => [`small order ${i + 1}`, hex(key)] as const),
];

export const KEYS: readonly VectorSource[] = [
  {
    name: 'TLS key: the connection ends at another',
    clause: "acra-enclave checklist, TLS key: user_data's hash is that of the connection's SubjectPublicKeyInfo",
    document: documentOf(),
    demands: { tlsKeySha256: '72'.repeat(32) },
    fails: { 'tls-key': 'ATTESTATION_TLS_KEY_MISMATCH' },
  },
  {
    name: 'TLS key: an operator made it, though one born inside is demanded',
    clause: 'acra-enclave checklist, origin of the TLS key: attested where that is demanded',
    document: documentOf({}, chain, sealed),
    statement: encodeStatement(sealed),
    demands: onlyPcr0(sealed),
    fails: { 'tls-key-origin': 'ATTESTATION_TLS_KEY_SEALED' },
  },
  ...badKeys.map(([name, publicKey]) => ({
    name: `HPKE key: ${name}`,
    clause: HPKE_RULE,
    document: documentOf({ publicKey }),
    fails: { 'hpke-key': 'ATTESTATION_HPKE_KEY_INVALID' },
  })),
];
