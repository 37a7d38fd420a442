/** The certificate extensions that the emulated authorities write (RFC 5280 4.2.1). */
import { createHash } from 'node:crypto';
import { isIP } from 'node:net';
import { BitString, OctetString } from 'asn1js';
import type { PublicKeyInfo } from 'pkijs';
import { AltName, AuthorityKeyIdentifier, BasicConstraints, Extension, ExtKeyUsage, GeneralName } from 'pkijs';

const OID = {
  subjectKeyIdentifier: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  authorityKeyIdentifier: '2.5.29.35',
  extendedKeyUsage: '2.5.29.37',
} as const;

/** id-kp-serverAuth and id-kp-clientAuth. */
const KEY_PURPOSES = { server: '1.3.6.1.5.5.7.3.1', client: '1.3.6.1.5.5.7.3.2' } as const;

/** Numbers of RFC 5280 4.2.1.3, most significant bit first. */
const KEY_USAGE_BITS = {
  digitalSignature: { bits: 0b1000_0000, unused: 7 },
  certificateSigning: { bits: 0b0000_0110, unused: 1 },
} as const;

/** GeneralName choices of RFC 5280 4.2.1.6. */
const GENERAL_NAME = { dns: 2, ip: 7 } as const;

export type CertificatePurpose = keyof typeof KEY_PURPOSES;

function extension(extnID: string, critical: boolean, value: { toBER(): ArrayBuffer }): Extension {
  return new Extension({ extnID, critical, extnValue: value.toBER() });
}

export function basicConstraints(ca: { readonly pathLength?: number } | undefined): Extension {
  const value = new BasicConstraints({
    cA: ca !== undefined,
    ...(ca?.pathLength === undefined ? {} : { pathLenConstraint: ca.pathLength }),
  });
  return extension(OID.basicConstraints, true, value.toSchema());
}

export function keyUsage(usage: keyof typeof KEY_USAGE_BITS): Extension {
  const { bits, unused } = KEY_USAGE_BITS[usage];
  return extension(OID.keyUsage, true, new BitString({ valueHex: Uint8Array.of(bits).buffer, unusedBits: unused }));
}

export function extendedKeyUsage(purpose: CertificatePurpose): Extension {
  return extension(OID.extendedKeyUsage, false, new ExtKeyUsage({ keyPurposes: [KEY_PURPOSES[purpose]] }).toSchema());
}

function ipBytes(address: string): Buffer {
  if (isIP(address) === 4) return Buffer.from(address.split('.').map(Number));
  const [head = '', tail = ''] = address.split('::');
  const groups = (text: string) => text.split(':').filter((group) => group !== '');
  const zeros = Array<string>(8 - groups(head).length - groups(tail).length).fill('0');
  const all = address.includes('::') ? [...groups(head), ...zeros, ...groups(tail)] : groups(address);
  return Buffer.from(all.map((group) => group.padStart(4, '0')).join(''), 'hex');
}

/** @param names DNS names and IP addresses. */
export function subjectAltName(names: readonly string[]): Extension {
  const altNames = names.map((name) =>
    isIP(name) === 0
      ? new GeneralName({ type: GENERAL_NAME.dns, value: name })
      : new GeneralName({
          type: GENERAL_NAME.ip,
          value: new OctetString({ valueHex: new Uint8Array(ipBytes(name)).buffer }),
        }),
  );
  return extension(OID.subjectAltName, false, new AltName({ altNames }).toSchema());
}

/** Method 1 of RFC 5280 4.2.1.2: SHA-1 of the public key's bits; a name for the key, not a protection. */
function keyIdentifier(publicKey: PublicKeyInfo): OctetString {
  const digest = createHash('sha1').update(publicKey.subjectPublicKey.valueBlock.valueHexView).digest();
  return new OctetString({ valueHex: new Uint8Array(digest).buffer });
}

export function subjectKeyIdentifier(publicKey: PublicKeyInfo): Extension {
  return extension(OID.subjectKeyIdentifier, false, keyIdentifier(publicKey));
}

export function authorityKeyIdentifier(issuerKey: PublicKeyInfo): Extension {
  const value = new AuthorityKeyIdentifier({ keyIdentifier: keyIdentifier(issuerKey) });
  return extension(OID.authorityKeyIdentifier, false, value.toSchema());
}
