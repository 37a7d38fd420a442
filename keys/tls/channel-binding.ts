/**
 * Certificates that SCRAM cannot be bound to: `tls-server-end-point` is a digest of the certificate by the hash of its signature's algorithm,
 * and Ed25519 has none, so that the binding is undefined. PostgreSQL and its clients end such a login with an error.
 * Specification: RFC 5929 section 4.1; PostgreSQL 18, be_tls_get_certificate_hash (be-secure-openssl.c).
 */
import type { EnclaveConfig } from '../../config/enclave.ts';
import { nameOf } from './certificate-facts.ts';
import type { FolderCertificates } from './folder-certificates.ts';

/** Contents octets in hex: id-Ed25519 (RFC 8410). */
const ED25519 = '2b6570';

/** For people. Where TLS ends in acra-server SCRAM passes through two connections, and cannot be bound anyway. */
export function bindingWarnings(
  { ingress, acra, database }: Pick<EnclaveConfig, 'ingress' | 'acra' | 'database'>,
  { server, databaseAuthorities }: Pick<FolderCertificates, 'server' | 'databaseAuthorities'>,
): string[] {
  if (ingress.tls === 'passthrough') return [];
  const unbound =
    'SCRAM cannot be bound to a certificate that is signed with Ed25519 (channel binding is undefined for it)';
  const own =
    server?.signatureAlgorithm === ED25519
      ? [`${acra.certificate}: clients must not demand channel binding: ${unbound}: ${nameOf(server)}`]
      : [];
  const signing = databaseAuthorities.filter(({ x509 }) => x509.publicKey.asymmetricKeyType === 'ed25519');
  const theirs = signing.map(
    (authority) =>
      `${database.ca}: logins to the database go without channel binding: ${unbound}, as ${nameOf(authority)} signs`,
  );
  return [...own, ...theirs];
}
