/**
 * Certificates that are refused though the CA has signed them: a measured list, because the enclave reaches no revocation list and no
 * responder that it could trust (docs/revocation.md). A certificate is on it by its serial number, or by its public key; so is whoever
 * has one from an issuer that is on it.
 */
import { X509Certificate } from 'node:crypto';
import type { DetailedPeerCertificate, TLSSocket } from 'node:tls';
import { revocationNames } from '../../config/revocation-names.ts';
import type { RevokedEntry } from '../../config/revoked.ts';

export class Revoked {
  readonly #serials: ReadonlySet<string>;
  readonly #keys: ReadonlySet<string>;

  constructor(entries: readonly RevokedEntry[]) {
    this.#serials = new Set(entries.flatMap((entry) => ('serial' in entry ? [entry.serial] : [])));
    this.#keys = new Set(entries.flatMap((entry) => ('key' in entry ? [entry.key] : [])));
  }

  /** Whether the peer's certificate is on the list, or one above it: those that it has shown, and those of the measured CA. */
  has(secured: TLSSocket): boolean {
    if (this.#serials.size + this.#keys.size === 0) return false;
    return chainOf(secured).some((certificate) => this.#isListed(certificate));
  }

  #isListed(certificate: X509Certificate): boolean {
    const { serial, key } = revocationNames(certificate);
    return this.#serials.has(serial) || this.#keys.has(key);
  }
}

/** The peer's own certificate first. One that signed itself is its own issuer. */
function chainOf(secured: TLSSocket): X509Certificate[] {
  const chain: X509Certificate[] = [];
  const seen = new Set<DetailedPeerCertificate>();
  let each: DetailedPeerCertificate | undefined = secured.getPeerCertificate(true);
  while (each?.raw !== undefined && !seen.has(each)) {
    seen.add(each);
    chain.push(new X509Certificate(each.raw));
    each = each.issuerCertificate;
  }
  return chain;
}
