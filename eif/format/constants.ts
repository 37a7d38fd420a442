/**
 * Numbers of the enclave image format, version 4. All integers in the file are big-endian; nothing is padded or aligned.
 * Specification: nitro-formats 3.1; byte tables in docs/formats/eif.md.
 */

/** ".eif" */
export const EIF_MAGIC = 0x2e65_6966;
/** 2 brought the CRC, 3 the signature, 4 the metadata. */
export const EIF_VERSION = 4;

export const HEADER_BYTES = 548;
export const SECTION_HEADER_BYTES = 12;
/** Slots for offsets and sizes in the header. */
export const MAX_SECTIONS = 32;
/** The kernel and the command line. */
export const MIN_SECTIONS = 2;

/** Where each header field starts. */
export const HEADER_OFFSET = {
  magic: 0x000,
  version: 0x004,
  flags: 0x006,
  defaultMem: 0x008,
  defaultCpus: 0x010,
  reserved: 0x018,
  sectionCount: 0x01a,
  sectionOffsets: 0x01c,
  sectionSizes: 0x11c,
  unused: 0x21c,
  crc32: 0x220,
} as const;

/** Bit 0 of the flags: aarch64 when set. All other bits are zero. */
export const FLAG_AARCH64 = 0x0001;

/** What AWS's builder writes; nothing uses it. */
export const DEFAULT_MEM_BYTES = 1_073_741_824n;
export const DEFAULT_CPUS = 2n;

/** COMMAND_LINE_SIZE of Linux on x86_64 and aarch64; what lies beyond never reaches the kernel. */
export const MAX_CMDLINE_BYTES = 2048;
/** Ours: Docker's description of an image takes some tens of KiB. */
export const MAX_METADATA_BYTES = 1_048_576;
/** Of the format. */
export const MAX_SIGNATURE_BYTES = 32_768;
