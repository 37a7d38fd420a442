/**
 * Measures an image while its sections stream by: PCR0 (kernel, command line, all ramdisks), PCR1 (the same with the first
 * ramdisk only), PCR2 (the other ramdisks). Metadata and signature are not measured.
 * Specification: nitro-formats 3.2.
 */
import { createHash, type Hash } from 'node:crypto';
import { extendPcrValue, measurePcr, PCR_BYTES } from '../attestation/pcr.ts';
import type { SectionKind } from './format/section.ts';

/** 48 bytes each. */
export interface ImageMeasurements {
  readonly pcr0: Buffer;
  readonly pcr1: Buffer;
  readonly pcr2: Buffer;
}

export class ImageMeasurer {
  readonly #image = createHash('sha384');
  readonly #application = createHash('sha384');
  /** PCR1 hashes a prefix of what PCR0 does, so its hash is split off where the second ramdisk starts. */
  #bootstrap: Hash | undefined;
  #ramdisks = 0;
  #sinks: readonly Hash[] = [];

  /** Sections must begin in file order. */
  begin(kind: SectionKind): void {
    if (kind === 'ramdisk') {
      if (this.#ramdisks === 1) this.#bootstrap = this.#image.copy();
      this.#ramdisks++;
    }
    if (kind === 'metadata' || kind === 'signature') this.#sinks = [];
    else this.#sinks = this.#ramdisks > 1 ? [this.#image, this.#application] : [this.#image];
  }

  update(chunk: Uint8Array): void {
    for (const sink of this.#sinks) sink.update(chunk);
  }

  /** What was measured so far; the image may go on afterwards. */
  measurements(): ImageMeasurements {
    return {
      pcr0: toPcr(this.#image),
      pcr1: toPcr(this.#bootstrap ?? this.#image),
      pcr2: toPcr(this.#application),
    };
  }
}

/** PCR8: the signing certificate, as DER. */
export function measureCertificate(der: Buffer): Buffer {
  return measurePcr([der]);
}

/** The register of content that was hashed in pieces. Does not end the hash. */
export function toPcr(content: Hash): Buffer {
  return extendPcrValue(Buffer.alloc(PCR_BYTES), content.copy().digest());
}
