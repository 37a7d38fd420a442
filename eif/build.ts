/** Builds an image from its parts: kernel, command line, metadata and ramdisks, signed or expressly unsigned. */

import type { Architecture } from './format/header.ts';
import { type EifMetadata, encodeMetadata } from './format/metadata.ts';
import { type ByteSource, type WrittenEif, writeEif } from './format/writer.ts';
import { type CertificateChain, checkValidity } from './sign/certificate.ts';
import { checkKeyMatches, type SigningKey } from './sign/key.ts';
import { requireSigned } from './sign/require-signed.ts';
import { signPcr0 } from './sign/signature.ts';

export interface ImageSigner {
  readonly key: SigningKey;
  readonly chain: CertificateChain;
  /** Milliseconds since the epoch; certificates must be valid then. */
  readonly nowMs: number;
}

export interface BuildRequest {
  readonly output: string;
  readonly architecture: Architecture;
  /** bzImage or Image; to be read once. */
  readonly kernel: ByteSource;
  /** White space around it is dropped, as nitro-cli does. */
  readonly cmdline: string;
  readonly metadata: EifMetadata;
  /** See writeCpio and compress. */
  readonly ramdisks: readonly ByteSource[];
  readonly signer: ImageSigner | 'unsigned';
  readonly signal?: AbortSignal;
}

/** @throws EifError EIF_KEY_MISMATCH, EIF_CERTIFICATE_EXPIRED, EIF_CERTIFICATE_NOT_YET_VALID */
export function checkSigner({ key, chain, nowMs }: ImageSigner): void {
  checkKeyMatches(key, chain);
  checkValidity(chain, nowMs);
}

/**
 * @throws EifError EIF_KEY_MISMATCH, EIF_CERTIFICATE_EXPIRED, EIF_CERTIFICATE_NOT_YET_VALID, EIF_METADATA_INVALID, and those
 * of writeEif and of the sources, nothing is written then; those of requireSigned
 */
export async function buildImage(request: BuildRequest): Promise<WrittenEif> {
  const { signer } = request;
  if (signer !== 'unsigned') checkSigner(signer);
  const content = {
    architecture: request.architecture,
    kernel: request.kernel,
    cmdline: Buffer.from(request.cmdline.trim()),
    metadata: encodeMetadata(request.metadata),
    ramdisks: request.ramdisks,
    ...(signer === 'unsigned' ? {} : { sign: (pcr0: Buffer) => signPcr0(pcr0, signer.key, signer.chain) }),
  };
  const written = await writeEif(request.output, content, request.signal);
  if (signer !== 'unsigned') await requireSigned(request.output, signer.chain, request.signal);
  return written;
}
