/**
 * What the product asks of a Nitro Security Module. The real device and the emulated one are reached through this one
 * interface; the trust in their documents lies with the verifier, which is told the root that belongs to the provider.
 */
import type { PcrIndex } from '../../wire/brands.ts';

export interface NsmDescription {
  readonly versionMajor: number;
  readonly versionMinor: number;
  readonly versionPatch: number;
  /** `i-…-enc…` on Nitro hardware. */
  readonly moduleId: string;
  readonly maxPcrs: number;
  readonly lockedPcrs: readonly PcrIndex[];
  /** Hash of the PCRs; `SHA384` on all known hardware. */
  readonly digest: string;
}

export interface PcrState {
  readonly locked: boolean;
  readonly value: Buffer;
}

/** What a document shall bind; each at most 1024 bytes. */
export interface AttestationRequest {
  readonly userData?: Buffer;
  readonly nonce?: Buffer;
  /** DER SubjectPublicKeyInfo where KMS shall answer to it. */
  readonly publicKey?: Buffer;
}

export interface NsmProvider {
  describe(): Promise<NsmDescription>;
  describePcr(index: PcrIndex): Promise<PcrState>;
  /** Resolves to the new value, SHA384(old ‖ data). */
  extendPcr(index: PcrIndex, data: Buffer): Promise<Buffer>;
  lockPcr(index: PcrIndex): Promise<void>;
  /** Locks PCR 0 up to, and without, `range` (1-32). */
  lockPcrs(range: number): Promise<void>;
  /** Resolves to a signed attestation document. */
  attest(request: AttestationRequest): Promise<Buffer>;
  /** At most 256 random bytes, in a Buffer that the caller owns and zeroes. */
  random(): Promise<Buffer>;
  close(): Promise<void>;
}
