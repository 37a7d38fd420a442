/**
 * How acra-server 0.96.0 checks search hashes of the cells that it reads (hmac/dataProcessor.go): once before and once after
 * decrypting. A plaintext that begins like a hash and holds a container is taken for a stored value the second time, and its hash
 * expected of the next cell: that is kept, so that the same bytes come out.
 */
import { searchHashAt } from '../../acra/container.ts';
import { type Cipher, hasEnvelope } from './cipher.ts';

export interface Checked {
  readonly bytes: Buffer;
  /** The hash is not that of the value: what was stored goes to the client. */
  readonly isForeign: boolean;
}

export class HashCheck {
  readonly #cipher: Cipher;
  #pending: { readonly hash: Buffer; readonly stored: Buffer } | undefined;

  constructor(cipher: Cipher) {
    this.#cipher = cipher;
  }

  /** Takes the hash off bytes that begin with one and hold a container; the next call checks it. */
  pass(bytes: Buffer): Checked {
    const pending = this.#pending;
    this.#pending = undefined;
    if (pending && !this.#cipher.isHashOf(pending.hash, bytes)) return { bytes: pending.stored, isForeign: true };
    const hash = searchHashAt(bytes);
    if (!hash) return { bytes, isForeign: false };
    const rest = bytes.subarray(hash.length);
    if (!hasEnvelope(rest)) return { bytes, isForeign: false };
    this.#pending = { hash, stored: bytes };
    return { bytes: rest, isForeign: false };
  }
}
