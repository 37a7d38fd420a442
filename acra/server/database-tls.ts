/**
 * What acra-server accepts of a database's TLS, for whoever asks before a session does. It is a Go program: its offer is narrower than
 * Node's, and it judges certificates by other rules. Each rule here was seen with the real one (acra-server contract, 12).
 * Sources: acra-server 0.96.0, network/tls_wrapper.go (TLS 1.2, cipher suites); Go's crypto/tls, handshake_client.go, and
 * crypto/x509, verify.go.
 */
import type { X509Certificate } from 'node:crypto';
import type { ConnectionOptions } from 'node:tls';
import { refusedName } from './database-name.ts';

/**
 * As acra-server greets a database. Security level 0: OpenSSL's own opinion of keys and digests is not asked for, refusedSignature
 * says what counts. What stands in the CA file is trusted as it is, whoever signed it.
 */
export const DATABASE_TLS = {
  minVersion: 'TLSv1.2',
  ciphers: [
    'TLS_AES_128_GCM_SHA256',
    'TLS_AES_256_GCM_SHA384',
    'TLS_CHACHA20_POLY1305_SHA256',
    'ECDHE-ECDSA-AES128-GCM-SHA256',
    'ECDHE-ECDSA-AES256-GCM-SHA384',
    'ECDHE-ECDSA-CHACHA20-POLY1305',
    'ECDHE-RSA-AES128-GCM-SHA256',
    'ECDHE-RSA-AES256-GCM-SHA384',
    'ECDHE-RSA-CHACHA20-POLY1305',
    '@SECLEVEL=0',
  ].join(':'),
  ecdhCurve: 'X25519:P-256:P-384:P-521',
  sigalgs: [
    'rsa_pss_rsae_sha256:rsa_pss_rsae_sha384:rsa_pss_rsae_sha512',
    'ecdsa_secp256r1_sha256:ecdsa_secp384r1_sha384:ecdsa_secp521r1_sha512:ed25519',
    'rsa_pkcs1_sha256:rsa_pkcs1_sha384:rsa_pkcs1_sha512',
  ].join(':'),
  allowPartialTrustChain: true,
} as const satisfies ConnectionOptions;

const PEM = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;
const BROKEN_DIGESTS = /md2|md4|md5|sha-?1(?![0-9])/i;

/**
 * Why acra-server refuses a certificate whose chain has been verified; undefined: it accepts.
 * @param leaf with its issuers, as far as they are known
 * @param caPem what is trusted: nobody looks at the signatures of these
 * @param serverName a DNS name or an IP address
 */
export function refusedCertificate(leaf: X509Certificate, caPem: string, serverName: string): string | undefined {
  return refusedSignature(leaf, caPem) ?? refusedName(leaf.toLegacyObject(), serverName);
}

function refusedSignature(leaf: X509Certificate, caPem: string): string | undefined {
  const trusted = new Set((caPem.match(PEM) ?? []).map(bodyOf));
  const seen = new Set<string>();
  for (let at: X509Certificate | undefined = leaf; at && !seen.has(at.fingerprint256); at = at.issuerCertificate) {
    if (trusted.has(at.raw.toString('base64'))) return undefined;
    seen.add(at.fingerprint256);
    if (BROKEN_DIGESTS.test(at.signatureAlgorithm ?? '')) {
      return `it is signed with ${at.signatureAlgorithm}, which acra-server does not accept: it needs SHA-256 or better`;
    }
  }
  return undefined;
}

function bodyOf(pem: string): string {
  return pem.replace(/-----[^-]+-----|\s/g, '');
}
