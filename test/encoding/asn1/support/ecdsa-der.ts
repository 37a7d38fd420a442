/** The other way of encoding/asn1/ecdsa-signature.ts: from raw r ‖ s to ECDSA-Sig-Value. RFC 3279 section 2.2.3, X.690 section 8.3. */
import { TAG } from '../../../../encoding/asn1/reader.ts';
import { writeDer } from '../../../../encoding/asn1/writer.ts';

/** A non-negative INTEGER from its magnitude, most significant byte first, leading zeros allowed. */
function writeUnsignedInteger(magnitude: Uint8Array): Buffer {
  const first = magnitude.findIndex((byte) => byte !== 0);
  const shortest = first === -1 ? Buffer.alloc(1) : magnitude.subarray(first);
  const sign = (shortest[0] ?? 0) >= 0x80 ? Buffer.alloc(1) : Buffer.alloc(0);
  return writeDer(TAG.integer, sign, shortest);
}

/** @param raw r ‖ s, an even number of bytes */
export function ecdsaDerFromRaw(raw: Buffer): Buffer {
  const half = raw.length / 2;
  return writeDer(TAG.sequence, writeUnsignedInteger(raw.subarray(0, half)), writeUnsignedInteger(raw.subarray(half)));
}
