/** Faults that a test or the demo asks for: the next requests of an operation go wrong in one precise way. */

export type EnvelopePart = 'key' | 'padding' | 'iv';

export type Fault =
  /** ThrottlingException. */
  | { readonly kind: 'throttle' }
  /** ExpiredTokenException, whatever the credentials are. */
  | { readonly kind: 'expired-token' }
  /** The request is read and never answered. */
  | { readonly kind: 'hang' }
  /** The connection is closed without an answer. */
  | { readonly kind: 'close' }
  /** The answer carries the plaintext next to CiphertextForRecipient. */
  | { readonly kind: 'return-plaintext' }
  | { readonly kind: 'omit-recipient-ciphertext' }
  /**
   * One byte of the envelope is changed. `key`: the content key does not open. `padding`: the content does not.
   * `iv`: it opens, and the first byte of the plaintext is wrong, because CMS has no MAC.
   */
  | { readonly kind: 'tamper-recipient-ciphertext'; readonly part: EnvelopePart }
  /** The secret lacks its first byte. */
  | { readonly kind: 'short-secret' }
  /** The answer names another key. */
  | { readonly kind: 'wrong-key-id' };

export class Faults {
  readonly #queues = new Map<string, Fault[]>();

  /** The next `times` requests of the operation, after those already asked for, meet this fault. */
  next(operation: string, fault: Fault, times = 1): void {
    const queue = this.#queues.get(operation) ?? [];
    this.#queues.set(operation, [...queue, ...Array<Fault>(times).fill(fault)]);
  }

  clear(): void {
    this.#queues.clear();
  }

  take(operation: string): Fault | undefined {
    return this.#queues.get(operation)?.shift();
  }
}
