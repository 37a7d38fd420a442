/**
 * What the loader reads of an ELF file: processor, interpreter, needed libraries and where to look for them. Only the
 * headers and the dynamic section are read, whatever the size of the file.
 * Specification: ELF gABI, chapters 4 (header), 5 (program header, dynamic section); 64-bit little-endian files only.
 */
import { EifBuildError } from '../build-errors.ts';
import { type InputFile, readRange, withInputFile } from '../input-file.ts';

const IDENT = Buffer.from('7f454c460201', 'hex');
const HEADER_BYTES = 64;
const PROGRAM_HEADER_BYTES = 56;
const MAX_PROGRAM_HEADERS = 512;
const DYNAMIC_ENTRY_BYTES = 16;
/** Far above what linkers make: 4096 entries. */
const MAX_DYNAMIC_BYTES = 65_536;
/** PATH_MAX of Linux, for each text. */
const MAX_TEXT_BYTES = 4096;

const PT_LOAD = 1;
const PT_DYNAMIC = 2;
const PT_INTERP = 3;

const DT_NULL = 0n;
const DT_NEEDED = 1n;
const DT_STRTAB = 5n;
const DT_STRSZ = 10n;
const DT_SONAME = 14n;
const DT_RPATH = 15n;
const DT_RUNPATH = 29n;

export interface ElfFile {
  /** e_machine. */
  readonly machine: number;
  /** PT_INTERP; undefined for libraries and static programs. */
  readonly interpreter: string | undefined;
  readonly soname: string | undefined;
  /** DT_NEEDED, in the order of the file. */
  readonly needed: readonly string[];
  /** Folders as they stand in the file, `$ORIGIN` included. */
  readonly rpath: readonly string[];
  readonly runpath: readonly string[];
  /** Where the last segment ends: what comes after is not part of a process. */
  readonly loadedBytes: number;
}

interface Segment {
  readonly type: number;
  readonly offset: number;
  readonly address: bigint;
  readonly bytes: number;
}

/** @throws EifBuildError EIF_BUILD_ELF; EifError EIF_FILE_READ */
export async function readElf(path: string): Promise<ElfFile> {
  return withInputFile(path, readElfIn);
}

/** @throws EifBuildError EIF_BUILD_ELF; EifError EIF_FILE_READ */
export async function readElfIn(file: InputFile): Promise<ElfFile> {
  const header = await readRange(file, 0, HEADER_BYTES);
  if (header.length < HEADER_BYTES || !header.subarray(0, IDENT.length).equals(IDENT)) {
    throw invalid(file, 'it is no 64-bit little-endian ELF file');
  }
  const segments = await readSegments(file, header);
  const dynamic = await readDynamic(file, segments);
  const machine = header.readUInt16LE(18);
  return {
    machine,
    interpreter: await readInterpreter(file, segments),
    ...dynamic,
    loadedBytes: lastByte(file, segments),
  };
}

function invalid({ path }: InputFile, why: string): EifBuildError {
  return new EifBuildError('EIF_BUILD_ELF', `${path} cannot be used: ${why}`);
}

/** A part of the file whose place and size come from the file itself. */
async function readPart(file: InputFile, what: string, offset: number, bytes: number, max: number): Promise<Buffer> {
  if (bytes > max || offset + bytes > file.size) throw invalid(file, `${what} is cut off or too large`);
  return readRange(file, offset, bytes);
}

async function readSegments(file: InputFile, header: Buffer): Promise<readonly Segment[]> {
  const [entryBytes, count] = [header.readUInt16LE(54), header.readUInt16LE(56)];
  if (count > 0 && entryBytes !== PROGRAM_HEADER_BYTES) throw invalid(file, 'its program headers have a foreign size');
  const max = MAX_PROGRAM_HEADERS * PROGRAM_HEADER_BYTES;
  const table = await readPart(
    file,
    'the program header',
    toNumber(header.readBigUInt64LE(32)),
    entryBytes * count,
    max,
  );
  return Array.from({ length: count }, (_, index) => {
    const entry = table.subarray(index * entryBytes);
    return {
      type: entry.readUInt32LE(0),
      offset: toNumber(entry.readBigUInt64LE(8)),
      address: entry.readBigUInt64LE(16),
      bytes: toNumber(entry.readBigUInt64LE(32)),
    };
  });
}

/** Too large for a number is too large for a file; the bounds check refuses it. */
function toNumber(value: bigint): number {
  return value > BigInt(Number.MAX_SAFE_INTEGER) ? Number.MAX_SAFE_INTEGER : Number(value);
}

function lastByte(file: InputFile, segments: readonly Segment[]): number {
  const end = Math.max(HEADER_BYTES, ...segments.map(({ offset, bytes }) => offset + bytes));
  if (end > file.size) throw invalid(file, 'a segment is cut off');
  return end;
}

async function readInterpreter(file: InputFile, segments: readonly Segment[]): Promise<string | undefined> {
  const segment = segments.find(({ type }) => type === PT_INTERP);
  if (segment === undefined) return undefined;
  const bytes = await readPart(file, 'the interpreter', segment.offset, segment.bytes, MAX_TEXT_BYTES);
  const text = bytes.toString('utf8').replace(/\0$/, '');
  if (text.startsWith('/') && !text.includes('\0')) return text;
  throw invalid(file, 'its interpreter is no absolute path');
}

interface StringTable {
  readonly start: number;
  readonly bytes: number;
}

type Dynamic = Omit<ElfFile, 'machine' | 'interpreter' | 'loadedBytes'>;

async function readDynamic(file: InputFile, segments: readonly Segment[]): Promise<Dynamic> {
  const segment = segments.find(({ type }) => type === PT_DYNAMIC);
  if (segment === undefined) return { soname: undefined, needed: [], rpath: [], runpath: [] };
  const table = await readPart(file, 'the dynamic section', segment.offset, segment.bytes, MAX_DYNAMIC_BYTES);
  const entries = parseDynamic(table);
  const numberOf = (tag: bigint): bigint => entries.find(([each]) => each === tag)?.[1] ?? 0n;
  const strings: StringTable = {
    start: fileOffset(file, segments, numberOf(DT_STRTAB)),
    bytes: toNumber(numberOf(DT_STRSZ)),
  };
  if (strings.start + strings.bytes > file.size) throw invalid(file, 'the string table is cut off');
  const textsOf = (tag: bigint): Promise<string[]> => {
    const offsets = entries.filter(([each]) => each === tag).map(([, offset]) => toNumber(offset));
    return Promise.all(offsets.map((offset) => readText(file, strings, offset)));
  };
  const foldersOf = async (tag: bigint): Promise<string[]> =>
    (await textsOf(tag)).flatMap((text) => text.split(':').filter(Boolean));
  return {
    soname: (await textsOf(DT_SONAME))[0],
    needed: await textsOf(DT_NEEDED),
    rpath: await foldersOf(DT_RPATH),
    runpath: await foldersOf(DT_RUNPATH),
  };
}

function parseDynamic(table: Buffer): readonly (readonly [tag: bigint, value: bigint])[] {
  const entries: [bigint, bigint][] = [];
  for (let at = 0; at + DYNAMIC_ENTRY_BYTES <= table.length; at += DYNAMIC_ENTRY_BYTES) {
    const tag = table.readBigUInt64LE(at);
    if (tag === DT_NULL) break;
    entries.push([tag, table.readBigUInt64LE(at + 8)]);
  }
  return entries;
}

/** Where an address of the running program lies in the file. */
function fileOffset(file: InputFile, segments: readonly Segment[], address: bigint): number {
  const segment = segments.find(
    ({ type, address: start, bytes }) => type === PT_LOAD && address >= start && address < start + BigInt(bytes),
  );
  if (segment === undefined) throw invalid(file, 'its string table is in no segment');
  return segment.offset + toNumber(address - segment.address);
}

/** One text of the table, which may hold megabytes of symbol names that nobody asks for. */
async function readText(file: InputFile, strings: StringTable, offset: number): Promise<string> {
  const bytes = await readRange(
    file,
    strings.start + offset,
    Math.min(MAX_TEXT_BYTES, Math.max(0, strings.bytes - offset)),
  );
  const end = bytes.indexOf(0);
  if (end === -1) throw invalid(file, 'a name leads out of its string table');
  return bytes.toString('utf8', 0, end);
}
