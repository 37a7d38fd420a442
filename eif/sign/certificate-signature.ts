/** The issuer's signature on a certificate, which Node does not hand out. Specification: RFC 5280 section 4.1. */
import type { X509Certificate } from 'node:crypto';
import { BitString, fromBER, Sequence } from 'asn1js';

export function certificateSignature({ raw }: X509Certificate): Buffer {
  const { result } = fromBER(new Uint8Array(raw));
  const last = result instanceof Sequence ? result.valueBlock.value.at(-1) : undefined;
  return last instanceof BitString ? Buffer.from(last.valueBlock.valueHexView) : Buffer.alloc(0);
}
