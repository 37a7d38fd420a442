/**
 * The TLS key of this boot, and how another takes its place on request of operators: sessions that are open keep the key that they began
 * with, those that come get the new one. One that signs its own certificate takes over at once. Where the operator's CA signs, its
 * certificate is asked for first, and until that is there the old pair serves.
 *
 *   shown ──rotate──▶ shown, another awaits its certificate ──installed──▶ the other is shown
 *     └──────────── rotate, where it signs for itself ───────────────────────▲
 */
import { makeTlsKey, type TlsKeyPair } from '../../keys/tls/attested-key.ts';
import type { Logger } from '../../runtime/log.ts';

export interface TlsRotation {
  readonly kind: 'shown' | 'awaits-certificate';
  /** Of the new key's SubjectPublicKeyInfo, 32 bytes. */
  readonly keySha256: Buffer;
}

/** Has the certificate of this key shown; undefined: it has to be brought first. */
type ShowNew = ((key: TlsKeyPair) => void) | undefined;

export class RotatableTlsKey implements Disposable {
  readonly #showNew: ShowNew;
  readonly #logger: Logger;
  #shown = makeTlsKey();
  #awaited: TlsKeyPair | undefined;

  constructor(logger: Logger, showNew?: ShowNew) {
    this.#logger = logger;
    this.#showNew = showNew;
  }

  /** Of new sessions, as soon as there is a certificate. */
  get shown(): TlsKeyPair {
    return this.#shown;
  }

  /** Those that a certificate may be for: the one that awaits it first. */
  get candidates(): readonly [TlsKeyPair, ...TlsKeyPair[]] {
    return this.#awaited ? [this.#awaited, this.#shown] : [this.#shown];
  }

  /** A key that awaited its certificate before is forgotten. @throws what keeps a certificate from being made; the old key goes on then */
  rotate(): TlsRotation {
    this.#awaited?.privateKey.dispose();
    const next = makeTlsKey();
    this.#awaited = next;
    const keySha256 = next.sha256;
    const showNew = this.#showNew;
    if (showNew) this.takeOver(next, () => showNew(next));
    const kind = showNew ? 'shown' : 'awaits-certificate';
    this.#logger.log('warn', 'tls.key-rotated', { kind, tlsKeySha256: keySha256.toString('hex') });
    return { kind, keySha256 };
  }

  /** @param key one of the candidates @param show has its certificate shown @throws as `show`: the key that was shown before goes on */
  takeOver<Result>(key: TlsKeyPair, show: () => Result): Result {
    if (key !== this.#awaited) return show();
    const before = this.#shown;
    this.#shown = key;
    try {
      const result = show();
      this.#awaited = undefined;
      before.privateKey.dispose();
      return result;
    } catch (error) {
      this.#shown = before;
      throw error;
    }
  }

  [Symbol.dispose](): void {
    for (const { privateKey } of this.candidates) privateKey.dispose();
  }
}
