/**
 * Error codes of enclave images (EIF_) and of the cpio archives in their ramdisks (CPIO_). Where a byte is to blame, the
 * error carries its offset: in the image file for EIF_ codes, in the unpacked archive for CPIO_ codes.
 */
import type { ErrorCatalogue, ErrorDetails } from '../runtime/errors.ts';
import { CodedError } from '../runtime/errors.ts';

const DAMAGED = 'Fetch or build the image again; compare its SHA-256 with the one that was published.';
const FOREIGN = 'Build the image with a tool that writes EIF version 4 as AWS does.';
const STALE =
  'Some signers leave a stale size when they replace a signature: build the image again and sign it once. Else it is damaged.';
const RESIGN = 'Sign the image again with the right key and certificate.';

export const EIF_ERRORS = {
  EIF_FILE_READ: {
    meaning: 'An image, or a file that goes into one, cannot be read.',
    action: 'Check the path and the permissions; pipes and devices are not accepted.',
  },
  EIF_FILE_CHANGED: {
    meaning: 'A file changed while it was read.',
    action: 'Make sure nothing writes to it; try again.',
  },
  EIF_FILE_WRITE: {
    meaning: 'The output cannot be written; nothing was left behind.',
    action: 'Check the folder, its permissions and the free space.',
  },
  EIF_TRUNCATED: { meaning: 'The file ends before the place that its header or a size names.', action: STALE },
  EIF_MAGIC: { meaning: 'The file does not start with ".eif": it is not an enclave image.', action: DAMAGED },
  EIF_VERSION: { meaning: 'The image has another format version than 4.', action: FOREIGN },
  EIF_FLAGS: { meaning: 'The header has flags other than the architecture bit.', action: FOREIGN },
  EIF_RESERVED: { meaning: 'A reserved field or an unused section slot of the header is not zero.', action: FOREIGN },
  EIF_SECTION_COUNT: { meaning: 'The image has fewer than 2 or more than 32 sections.', action: FOREIGN },
  EIF_SECTION_OVERLAP: { meaning: 'A section starts before the previous one has ended.', action: DAMAGED },
  EIF_SECTION_GAP: { meaning: 'There are bytes between two sections that belong to neither.', action: DAMAGED },
  EIF_SECTION_SIZE: {
    meaning: 'The size in a section header differs from the one in the image header.',
    action: DAMAGED,
  },
  EIF_SECTION_TOO_LARGE: {
    meaning: 'A command line, metadata or signature section is over its limit.',
    action: 'Shorten it to the limit that is shown.',
  },
  EIF_SECTION_TYPE: { meaning: 'A section has a type that version 4 does not define.', action: FOREIGN },
  EIF_SECTION_FLAGS: { meaning: 'A section header has flags; none are defined.', action: FOREIGN },
  EIF_SECTION_DUPLICATE: {
    meaning: 'A section that may be there once only, is there twice.',
    action: FOREIGN,
  },
  EIF_SECTION_ORDER: {
    meaning: 'Sections are not in the order kernel, cmdline, metadata, ramdisks, signature.',
    action: FOREIGN,
  },
  EIF_SECTION_MISSING: { meaning: 'The image lacks a kernel, cmdline or metadata section.', action: FOREIGN },
  EIF_TRAILING_BYTES: { meaning: 'There are bytes after the last section.', action: STALE },
  EIF_CRC: { meaning: 'The checksum does not match: the image was damaged or changed.', action: DAMAGED },
  EIF_CMDLINE_INVALID: {
    meaning: 'The kernel command line has a NUL byte, which would end it early.',
    action: 'Write the command line as plain text without a terminator.',
  },
  EIF_METADATA_INVALID: {
    meaning: 'The metadata section is not the JSON object that version 4 demands.',
    action: 'Give ImageName, ImageVersion, BuildMetadata with its five texts, and DockerInfo (an object or null).',
  },
  EIF_SIGNATURE_SYNTAX: {
    meaning: 'The signature section is not one certificate with one COSE_Sign1 signature.',
    action: RESIGN,
  },
  EIF_SIGNATURE_ALGORITHM: {
    meaning: 'The signature algorithm is unknown or does not fit the curve of the certificate.',
    action: RESIGN,
  },
  EIF_SIGNATURE_PCR0: {
    meaning: 'The signature is for another PCR0: it was made for another image.',
    action: RESIGN,
  },
  EIF_SIGNATURE_INVALID: {
    meaning: 'The signature does not verify under the key of the certificate.',
    action:
      'Check that the digest that was signed is the one of this image, and that the key belongs to the certificate.',
  },
  EIF_SIGNATURE_MISSING: {
    meaning: 'The image was to be signed, and what was written has no signature; it was not put in its place.',
    action: 'Check the disk; sign again. If it happens again, report this.',
  },
  EIF_SIGNATURE_ENCODING: {
    meaning: 'The signature to attach is neither raw r and s of the right length nor a DER ECDSA-Sig-Value.',
    action: 'Pass the bytes that the HSM or KMS returned, after removing any Base64.',
  },
  EIF_KEY_READ: {
    meaning: 'The signing key cannot be read or is not an unencrypted PEM private key.',
    action: 'Check path and permissions; for a key that is encrypted or cannot leave its device, sign in two steps.',
  },
  EIF_KEY_CURVE: {
    meaning: 'The key is not an elliptic-curve key on P-256, P-384 or P-521.',
    action: 'Make a key on one of these curves; P-384 is the usual one.',
  },
  EIF_KEY_MISMATCH: {
    meaning: 'The private key does not belong to the certificate.',
    action: 'Pass the certificate that was issued for this key; it comes first in the file.',
  },
  EIF_CERTIFICATE_INVALID: {
    meaning:
      'The certificate file cannot be read, holds no PEM certificate, or holds something that must not be published.',
    action: 'Pass a file with CERTIFICATE blocks only, the signing certificate first.',
  },
  EIF_CERTIFICATE_CHAIN: {
    meaning: 'A certificate in the file was not issued by the one after it.',
    action: 'Order the file: signing certificate, its issuer, the issuer of that, and so on.',
  },
  EIF_CERTIFICATE_EXPIRED: {
    meaning: 'A certificate has expired; nitro-cli would refuse to launch the image.',
    action: 'Issue a new certificate for the key; PCR8 changes with it.',
  },
  EIF_CERTIFICATE_NOT_YET_VALID: {
    meaning: 'A certificate is not valid yet.',
    action: 'Check the clock, or wait.',
  },
  EIF_PCR_FILE_INVALID: {
    meaning: 'The file with expected PCRs is not JSON with PCR values of 96 hexadecimal digits.',
    action:
      'Pass measurements.json, what `nitro-cli build-enclave`, `describe-eif` or `describe-enclaves` prints, or an object like {"PCR0": "…"}.',
  },
  EIF_PCR_MISMATCH: {
    meaning: 'A PCR of the image differs from the expected value.',
    action: 'Compare the images with `acra-enclave eif diff`.',
  },
  EIF_PCR_INPUT: {
    meaning: 'The text to measure is not an IAM role ARN or instance ID.',
    action: 'Pass the ARN of the role (not of the instance profile), or the ID as i-….',
  },
  EIF_MANIFEST_INVALID: {
    meaning: 'The manifest of an extracted image is malformed or names files outside its folder.',
    action: 'Extract the image again, or mend what the message names.',
  },
  EIF_OUTPUT_EXISTS: {
    meaning: 'The folder to extract to exists already.',
    action: 'Choose another folder or remove it.',
  },
} as const satisfies ErrorCatalogue;

export const CPIO_ERRORS = {
  CPIO_NAME: {
    meaning: 'The name of an entry is empty, absolute, too long, or has ".", ".." or NUL in it.',
    action: 'Use plain paths relative to the root of the archive.',
  },
  CPIO_DUPLICATE: { meaning: 'Two entries have the same name.', action: 'Remove one of them.' },
  CPIO_PARENT_MISSING: {
    meaning: 'An entry lies in a folder that no earlier entry makes; the kernel would drop it without a word.',
    action: 'List the folder before what is in it.',
  },
  CPIO_LINK_TARGET: {
    meaning: 'A hard link leads to no file that an earlier entry makes.',
    action: 'List the file before its further names.',
  },
  CPIO_NUMBER_RANGE: {
    meaning: 'A mode, owner, time, size or device number does not fit its field.',
    action: 'Modes have 12 bits, the others 32; a file may have 4 GiB less one byte.',
  },
  CPIO_TRUNCATED: { meaning: 'The archive ends before its trailer.', action: DAMAGED },
  CPIO_MAGIC: { meaning: 'An entry does not start with 070701: it is not in newc form.', action: FOREIGN },
  CPIO_FIELD: { meaning: 'A header field is not 8 hexadecimal digits, or has a forbidden value.', action: FOREIGN },
  CPIO_PADDING: { meaning: 'A padding byte is not zero.', action: DAMAGED },
  CPIO_TOO_LARGE: { meaning: 'The archive unpacks to more than the reader takes.', action: DAMAGED },
  CPIO_TRAILING_BYTES: { meaning: 'There are bytes other than zero after the trailer.', action: FOREIGN },
  CPIO_COMPRESSION: { meaning: 'A compressed ramdisk cannot be unpacked.', action: DAMAGED },
} as const satisfies ErrorCatalogue;

export type EifErrorCode = keyof typeof EIF_ERRORS;

interface OffsetDetails extends ErrorDetails {
  /** The first byte of the field to blame. */
  readonly offset?: number;
}

function withOffset(message: string, offset: number | undefined): string {
  return offset === undefined ? message : `${message} (at byte ${offset})`;
}

export class EifError extends CodedError<EifErrorCode> {
  readonly offset: number | undefined;

  constructor(code: EifErrorCode, message: string, details: OffsetDetails = {}) {
    super(code, withOffset(message, details.offset), details);
    this.offset = details.offset;
  }
}

export class CpioError extends CodedError<keyof typeof CPIO_ERRORS> {
  readonly offset: number | undefined;

  constructor(code: keyof typeof CPIO_ERRORS, message: string, details: OffsetDetails = {}) {
    super(code, withOffset(message, details.offset), details);
    this.offset = details.offset;
  }
}
