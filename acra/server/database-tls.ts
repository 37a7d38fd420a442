/**
 * What acra-server accepts of a database's TLS, for whoever asks before a session does. It is a Go program: its offer is narrower than
 * Node's, and it judges certificates by other rules. Each rule here was seen with the real one (acra-server contract, 12).
 * Sources: acra-server 0.96.0, network/tls_wrapper.go (TLS 1.2, cipher suites); Go's crypto/tls, handshake_client.go, and
 * crypto/x509, verify.go.
 */
import type { ConnectionOptions } from 'node:tls';
import { derOf, pemBlocks } from '../../encoding/pem.ts';
import { describeError } from '../../runtime/errors.ts';
import { chainFault, lacksPurpose, PURPOSE, refusedTime } from '../certificate/chain.ts';
import type { CertificateFacts } from '../certificate/facts.ts';
import { readCertificateFacts } from '../certificate/facts.ts';
import { printable, refusedName } from './database-name.ts';

/**
 * As acra-server greets a database. Security level 0: OpenSSL's own opinion of keys and digests is not asked for, refusedCertificate
 * says what counts.
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
} as const satisfies ConnectionOptions;

/**
 * Why acra-server refuses what a database shows; undefined: it accepts. OpenSSL is not asked: it refuses some that Go accepts, and takes
 * others that Go cannot read.
 * @param shown in DER, the leaf first
 * @param caPem what is trusted: nobody looks at the signatures of these
 * @param serverName a DNS name or an IP address
 */
export function refusedCertificate(
  shown: readonly Buffer[],
  caPem: string,
  serverName: string,
  nowMs: number,
): string | undefined {
  let certificates: CertificateFacts[];
  try {
    certificates = shown.map(readCertificateFacts);
  } catch (error) {
    return `acra-server cannot read it: ${printable(describeError(error))}`;
  }
  const [leaf, ...others] = certificates;
  if (leaf === undefined) return 'there is none';
  return refusedLeaf(leaf, serverName, nowMs) ?? refusedChain(leaf, others, caPem, nowMs);
}

function refusedLeaf(leaf: CertificateFacts, serverName: string, nowMs: number): string | undefined {
  if (leaf.unknownCritical.length > 0) {
    return `it has a critical extension that acra-server does not know (${leaf.unknownCritical})`;
  }
  const time = refusedTime(leaf, nowMs);
  if (time !== undefined) return `it ${time}`;
  const name = refusedName(leaf, serverName);
  if (name !== undefined) return name;
  return lacksPurpose(leaf, PURPOSE.server) ? 'it is not for servers (extended key usage)' : undefined;
}

function refusedChain(
  leaf: CertificateFacts,
  others: readonly CertificateFacts[],
  caPem: string,
  nowMs: number,
): string | undefined {
  const fault = chainFault(leaf, others, trustedIn(caPem), { purpose: PURPOSE.server, nowMs });
  if (fault === undefined) return undefined;
  const untrusted = 'its chain is not trusted';
  if (fault.kind === 'issuer') return `${untrusted}: ${oneLine(fault.issuer.x509.subject)} ${fault.reason}`;
  const whose = fault.of === leaf ? 'it' : oneLine(fault.of.x509.subject);
  return `${untrusted}: neither database.ca nor the database has who issued ${whose} (${oneLine(fault.of.x509.issuer)})`;
}

const oneLine = (name: string | undefined) =>
  printable((name ?? '').split('\n').reverse().join(', ')) || 'a CA without a name';

/** As Go gathers them: what it cannot read it leaves out. */
function trustedIn(caPem: string): CertificateFacts[] {
  const blocks = pemBlocks(Buffer.from(caPem)).filter(
    ({ label, headers }) => label === 'CERTIFICATE' && !headers.includes(':'),
  );
  return blocks.flatMap((block) => {
    try {
      return readCertificateFacts(derOf(block));
    } catch {
      return [];
    }
  });
}
