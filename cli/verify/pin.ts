/**
 * What `sslrootcert` of a client can be, after the key of a server was attested. A certificate that the enclave signed itself pins its
 * key: nobody else can show it. An authority's root does not: it accepts whatever else that authority issues.
 */
import type { X509Certificate } from 'node:crypto';

export type Pin =
  | { readonly kind: 'key' | 'authority'; readonly pem: string }
  /** The server does not send the root of its chain; or nobody judged what program has the key. */
  | { readonly kind: 'none' | 'unjudged' };

function isSelfSigned(certificate: X509Certificate): boolean {
  try {
    return certificate.issuer === certificate.subject && certificate.verify(certificate.publicKey);
  } catch {
    return false;
  }
}

/**
 * @param certificates the server's own first
 * @param isImageJudged a key of any image whatever is nobody's to trust
 */
export function pinOf(certificates: readonly X509Certificate[], isImageJudged: boolean): Pin {
  if (!isImageJudged) return { kind: 'unjudged' };
  const [own] = certificates;
  const top = certificates.at(-1);
  if (own === undefined || top === undefined || !isSelfSigned(top)) return { kind: 'none' };
  return { kind: top === own ? 'key' : 'authority', pem: top.toString() };
}
