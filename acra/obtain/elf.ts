/** The two facts of an ELF program that decide how to run it: its processor, and its interpreter (ELF gABI, ch. 4-5). */
import { AcraError } from '../errors.ts';

const MACHINES: ReadonlyMap<number, string> = new Map([
  [62, 'x64'],
  [183, 'arm64'],
]);
const PT_INTERP = 3;

interface ElfFacts {
  /** As in process.arch; undefined for processors that we do not run on. */
  readonly architecture: string | undefined;
  /** Absolute path inside the image; undefined for a static program. */
  readonly interpreter: string | undefined;
}

function invalid(message: string): AcraError {
  return new AcraError('ACRA_IMAGE_INVALID', `acra-server in the image is no program: ${message}`);
}

/** 64-bit little-endian files only. @throws AcraError ACRA_IMAGE_INVALID */
export function readElfFacts(file: Buffer): ElfFacts {
  if (file.length < 64 || !file.subarray(0, 6).equals(Buffer.of(0x7f, 0x45, 0x4c, 0x46, 2, 1))) {
    throw invalid('no 64-bit ELF file');
  }
  const architecture = MACHINES.get(file.readUInt16LE(18));
  const tableAt = Number(file.readBigUInt64LE(32));
  const [entryBytes, entries] = [file.readUInt16LE(54), file.readUInt16LE(56)];
  if (entryBytes < 56 || tableAt + entryBytes * entries > file.length) throw invalid('its program headers are cut off');
  for (let index = 0; index < entries; index++) {
    const at = tableAt + index * entryBytes;
    if (file.readUInt32LE(at) !== PT_INTERP) continue;
    const [offset, length] = [Number(file.readBigUInt64LE(at + 8)), Number(file.readBigUInt64LE(at + 32))];
    if (length < 2 || offset + length > file.length) throw invalid('its interpreter is cut off');
    return { architecture, interpreter: file.subarray(offset, offset + length - 1).toString('utf8') };
  }
  return { architecture, interpreter: undefined };
}
