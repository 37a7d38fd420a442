/**
 * Signs an image: everything but the old signature, if there is one, is copied, so signing a signed image gives what signing
 * the unsigned one would. Whatever is wrong with key or certificate, nothing is written.
 */
import { randomBytes } from 'node:crypto';
import { rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { EifError } from '../errors.ts';
import { type EifImage, readEif, sectionData } from '../format/reader.ts';
import type { SectionKind } from '../format/section.ts';
import { type ByteSource, type WrittenEif, writeEif } from '../format/writer.ts';
import { withInputFile } from '../input-file.ts';
import { type CertificateChain, checkValidity } from './certificate.ts';
import { checkKeyMatches, type SigningKey } from './key.ts';
import { requireSigned } from './require-signed.ts';
import { signPcr0 } from './signature.ts';

export interface SignRequest {
  readonly input: string;
  /** May be the input itself, which is then replaced in one step. */
  readonly output: string;
  readonly chain: CertificateChain;
  /** Milliseconds since the epoch; certificates must be valid then. */
  readonly nowMs: number;
  readonly signal?: AbortSignal;
}

/**
 * @throws EifError EIF_KEY_MISMATCH, EIF_CERTIFICATE_EXPIRED, EIF_CERTIFICATE_NOT_YET_VALID, and those of readEif and writeEif
 */
export async function signImage(request: SignRequest, key: SigningKey): Promise<WrittenEif> {
  checkKeyMatches(key, request.chain);
  checkValidity(request.chain, request.nowMs);
  const image = await readEif(request.input, request.signal);
  return rewriteSigned(image, request, signPcr0(image.measurements.pcr0, key, request.chain));
}

/** Copies an image that was read and puts this signature section into it. */
export async function rewriteSigned(
  image: EifImage,
  { output, chain, signal }: SignRequest,
  signature: Buffer,
): Promise<WrittenEif> {
  return withInputFile(image.path, async (file) => {
    const sources = (kind: SectionKind): ByteSource[] =>
      image.sections.filter((section) => section.kind === kind).map((section) => sectionData(file, section));
    const { architecture, defaultMemBytes, defaultCpus } = image.header;
    const content = {
      architecture,
      defaultMemBytes,
      defaultCpus,
      kernel: sources('kernel')[0] ?? [],
      cmdline: image.cmdline,
      metadata: image.metadata,
      ramdisks: sources('ramdisk'),
      sign: (pcr0: Buffer) => {
        if (pcr0.equals(image.measurements.pcr0)) return signature;
        throw new EifError('EIF_FILE_CHANGED', `${image.path} changed while it was being signed`);
      },
    };
    return writeChecked(output, chain, (path) => writeEif(path, content, signal), signal);
  });
}

/** What is written takes its place only after it was read again and found to be signed. */
async function writeChecked(
  output: string,
  chain: CertificateChain,
  write: (path: string) => Promise<WrittenEif>,
  signal?: AbortSignal,
): Promise<WrittenEif> {
  const unchecked = join(dirname(output), `.${basename(output)}.${randomBytes(6).toString('hex')}.unchecked`);
  try {
    const written = await write(unchecked);
    await requireSigned(unchecked, chain, signal);
    await rename(unchecked, output).catch((cause: unknown) => {
      throw new EifError('EIF_FILE_WRITE', `cannot write ${output}`, { cause });
    });
    return written;
  } finally {
    await rm(unchecked, { force: true });
  }
}
