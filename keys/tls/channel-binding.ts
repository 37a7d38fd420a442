/**
 * Certificates that SCRAM cannot be bound to: `tls-server-end-point` is a digest of the certificate by the hash of its signature's algorithm,
 * and Ed25519 has none, so that the binding is undefined. PostgreSQL and its clients end such a login with an error.
 * Specification: RFC 5929 section 4.1; PostgreSQL 18, be_tls_get_certificate_hash (be-secure-openssl.c).
 */
import type { CertificateFacts } from '../../acra/certificate/facts.ts';
import type { EnclaveConfig } from '../../config/enclave.ts';
import { sealedTlsKeyOf, serverCaOf } from '../../config/tls.ts';
import { nameOf } from './certificate-facts.ts';
import type { FolderCertificates } from './folder-certificates.ts';

/** Contents octets in hex: id-Ed25519 (RFC 8410). */
const ED25519 = '2b6570';

const signsUnbound = ({ x509 }: CertificateFacts) => x509.publicKey.asymmetricKeyType === 'ed25519';

/** For people. Where TLS ends in acra-server SCRAM passes through two connections, and cannot be bound anyway. */
export function bindingWarnings(
  config: Pick<EnclaveConfig, 'ingress' | 'tls' | 'acra' | 'database'>,
  certificates: Pick<FolderCertificates, 'server' | 'serverAuthorities' | 'databaseAuthorities'>,
): string[] {
  const { ingress, database } = config;
  if (ingress.tls === 'passthrough') return [];
  const { server, serverAuthorities, databaseAuthorities } = certificates;
  const unbound =
    'SCRAM cannot be bound to a certificate that is signed with Ed25519 (channel binding is undefined for it)';
  const clients = `clients must not demand channel binding: ${unbound}`;
  const own =
    server?.signatureAlgorithm === ED25519
      ? [`${sealedTlsKeyOf(config)?.certificate}: ${clients}: ${nameOf(server)}`]
      : [];
  const signing = serverAuthorities
    .filter(signsUnbound)
    .map((authority) => `${serverCaOf(config)}: ${clients}, as ${nameOf(authority)} signs`);
  const theirs = databaseAuthorities
    .filter(signsUnbound)
    .map(
      (authority) =>
        `${database.ca}: logins to the database go without channel binding: ${unbound}, as ${nameOf(authority)} signs`,
    );
  return [...own, ...signing, ...theirs];
}
