/** Builds an image from its parts: kernel file, command line, metadata and ramdisks, signed or expressly unsigned. */

import type { Architecture } from './format/header.ts';
import { type EifMetadata, encodeMetadata } from './format/metadata.ts';
import { type ByteSource, type WrittenEif, writeEif } from './format/writer.ts';
import { readFilePieces } from './input-file.ts';
import { type CertificateChain, checkValidity } from './sign/certificate.ts';
import { checkKeyMatches, type SigningKey } from './sign/key.ts';
import { signPcr0 } from './sign/signature.ts';

interface ImageSigner {
  readonly key: SigningKey;
  readonly chain: CertificateChain;
  /** Milliseconds since the epoch; certificates must be valid then. */
  readonly nowMs: number;
}

export interface BuildRequest {
  readonly output: string;
  readonly architecture: Architecture;
  /** bzImage or Image. */
  readonly kernelPath: string;
  /** White space around it is dropped, as nitro-cli does. */
  readonly cmdline: string;
  readonly metadata: EifMetadata;
  /** See writeCpio and compress. */
  readonly ramdisks: readonly ByteSource[];
  readonly signer: ImageSigner | 'unsigned';
  readonly signal?: AbortSignal;
}

/**
 * @throws EifError EIF_KEY_MISMATCH, EIF_CERTIFICATE_EXPIRED, EIF_CERTIFICATE_NOT_YET_VALID, EIF_METADATA_INVALID,
 * EIF_FILE_READ, and those of writeEif; nothing is written then
 */
export async function buildImage(request: BuildRequest): Promise<WrittenEif> {
  const { signer } = request;
  if (signer !== 'unsigned') {
    checkKeyMatches(signer.key, signer.chain);
    checkValidity(signer.chain, signer.nowMs);
  }
  const content = {
    architecture: request.architecture,
    kernel: readFilePieces(request.kernelPath),
    cmdline: Buffer.from(request.cmdline.trim()),
    metadata: encodeMetadata(request.metadata),
    ramdisks: request.ramdisks,
    ...(signer === 'unsigned' ? {} : { sign: (pcr0: Buffer) => signPcr0(pcr0, signer.key, signer.chain) }),
  };
  return writeEif(request.output, content, request.signal);
}
